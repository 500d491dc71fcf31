#include "sallyport/http/request_head.hpp"

#include <algorithm>
#include <array>

#include "authority.hpp"
#include "body_length.hpp"
#include "characters.hpp"
#include "clear_head.hpp"
#include "connection_options.hpp"
#include "field_lines.hpp"
#include "list.hpp"
#include "request_meaning.hpp"
#include "sallyport/http/pseudo_fields.hpp"

namespace sallyport::http {

namespace {

/// RFC 9112 §3.2: one, and a valid one; §3.2.2: the same as the target's, if that has one.
std::optional<Refusal> read_host(const std::optional<AbsoluteForm>& absolute, RequestHead& head)
{
    const Field* sent = head.fields.find(FieldName::host);
    if (sent == nullptr && head.version == Version::http11) return Refusal::missing_host;
    if (head.fields.count(FieldName::host) > 1) return Refusal::repeated_host;
    if (sent == nullptr && !absolute)
        return head.version == Version::http10 ? std::nullopt : std::optional{Refusal::missing_host};

    head.authority = sent != nullptr ? sent->value : absolute->authority;
    const auto host = parse_authority(head.authority);
    if (!host) return Refusal::malformed_host;
    head.host = host->host;
    if (!absolute) return std::nullopt;
    const auto target = parse_authority(absolute->authority);
    if (!target) return Refusal::invalid_target;
    return same(*host, *target, absolute->default_port) ? std::nullopt : std::optional{Refusal::host_mismatch};
}

/// RFC 9110 §10.1.1: in HTTP/1.0 it is to be ignored; another expectation we could not meet.
std::optional<Refusal> read_expect(RequestHead& head)
{
    if (head.version == Version::http10) return std::nullopt;
    bool unknown = false;
    for_each_element(head.fields, FieldName::expect, [&](std::string_view expectation) {
        const bool known = equal_but_for_case(expectation, "100-continue");
        head.expects_continue = head.expects_continue || known;
        unknown = unknown || !known;
    });
    if (unknown) return Refusal::unknown_expectation;
    head.expects_continue = head.expects_continue && head.framing.kind != Framing::Kind::none &&
                            head.framing != Framing{Framing::Kind::length, 0};
    return std::nullopt;
}

bool starts_with_but_for_case(std::string_view text, std::string_view prefix)
{
    return equal_but_for_case(text.substr(0, prefix.size()), prefix);
}

/// Nothing that we could not look into any more though we should: h2c, HTTP/2.0, TLS/1.2.
bool can_be_tunnelled(std::string_view protocols)
{
    constexpr std::array<std::string_view, 3> kOurs{"h2", "HTTP", "TLS"};
    bool can = true;
    for_each_element(protocols, [&](std::string_view protocol) {
        can = can && std::ranges::none_of(kOurs, [&](auto ours) { return starts_with_but_for_case(protocol, ours); });
    });
    return can;
}

/// RFC 9110 §7.8: HTTP/1.0 has none.
void read_upgrade(RequestHead& head)
{
    if (!head.connection.upgrade || head.version == Version::http10) return;
    if (head.fields.count(FieldName::upgrade) != 1) return;
    const std::string_view protocols = head.fields.find(FieldName::upgrade)->value;
    if (can_be_tunnelled(protocols)) head.upgrade = protocols;
}

void read_te(RequestHead& head)
{
    for_each_element(head.fields, FieldName::te, [&](std::string_view coding) {
        head.accepts_trailers = head.accepts_trailers || equal_but_for_case(coding, "trailers");
    });
}

} // namespace

std::optional<Refusal> read_meaning(const std::optional<AbsoluteForm>& absolute, RequestHead& head)
{
    const auto framing = body_length(head.fields, head.version);
    if (!framing) return framing.error();
    head.framing = *framing;
    if (const auto refused = read_host(absolute, head)) return refused;
    if (const auto refused = read_connection(head.fields, head.connection)) return refused;
    if (const auto refused = read_expect(head)) return refused;
    head.keep_alive = persists(head.version, head.connection);
    read_upgrade(head);
    read_te(head);
    return std::nullopt;
}

void clear(RequestHead& head)
{
    clear_head(head);
}

bool is_idempotent(Method method)
{
    switch (method) {
    case Method::get:
    case Method::head:
    case Method::put:
    case Method::del:
    case Method::options:
    case Method::trace:
        return true;
    default:
        return false;
    }
}

std::expected<void, Refused> parse_request(std::string_view head, const Limits& limits, RequestHead& into)
{
    clear(into);
    if (head.starts_with("\r\n")) head.remove_prefix(2);
    const std::size_t line_end = head.find("\r\n");
    std::optional<AbsoluteForm> absolute;
    if (const auto refused = read_request_line(head.substr(0, line_end), limits, into, absolute))
        return std::unexpected{Refused{*refused}};
    if (const auto refused = read_fields(head.substr(line_end + 2), limits.fields, into.fields))
        return std::unexpected{*refused};
    if (const auto refused = read_meaning(absolute, into)) return std::unexpected{Refused{*refused}};
    return {};
}

} // namespace sallyport::http
