#include "sallyport/http/response_head.hpp"

#include <charconv>

#include "body_length.hpp"
#include "characters.hpp"
#include "clear_head.hpp"
#include "connection_options.hpp"
#include "field_lines.hpp"
#include "http2_fields.hpp"
#include "list.hpp"
#include "request_line.hpp"
#include "sallyport/http/pseudo_fields.hpp"

namespace sallyport::http {

namespace {

/// `HTTP-version SP status-code SP [ reason ]` (RFC 9112 §4). Apps that forget the blank before an empty reason are
/// understood: nothing can be mistaken there.
std::optional<Refusal> read_status_line(std::string_view line, ResponseHead& into)
{
    if (line.find('\r') != std::string_view::npos) return Refusal::bare_cr;
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return Refusal::malformed_status_line;
    if (const auto refused = read_version(line.substr(0, blank), into.version)) return refused;
    const std::string_view rest = line.substr(blank + 1);
    const std::string_view code = rest.substr(0, 3);
    const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), into.status);
    if (error != std::errc{} || end != code.data() + 3 || into.status < 100) return Refusal::malformed_status_line;
    if (rest.size() == 3) return std::nullopt;
    into.reason = rest.substr(4);
    if (rest[3] != ' ' || (!into.reason.empty() && !consists_of(into.reason, kValueByte)))
        return Refusal::malformed_status_line;
    return std::nullopt;
}

/// RFC 9112 §6.3, 1 and 8: no body, whatever the fields say; without a length until the app closes.
void decide_framing(const Framing& said, Method asked, ResponseHead& head)
{
    const bool bodiless = head.status < 200 || head.status == 204 || head.status == 304 || asked == Method::head;
    if (!bodiless) {
        head.framing = said.kind == Framing::Kind::none ? Framing{Framing::Kind::until_close} : said;
        return;
    }
    // RFC 9110 §8.6: 1xx and 204 must not have one.
    if (said.kind == Framing::Kind::length && head.status >= 200 && head.status != 204)
        head.length_without_body = said.length;
}

/// `timeout=5, max=100`: no RFC, but what every server that says it means.
void read_keep_alive(ResponseHead& head)
{
    constexpr std::string_view kTimeout = "timeout=";
    for_each_element(head.fields, FieldName::keep_alive, [&](std::string_view parameter) {
        if (!equal_but_for_case(parameter.substr(0, kTimeout.size()), kTimeout)) return;
        std::uint32_t seconds{};
        const char* const end = parameter.data() + parameter.size();
        const auto read = std::from_chars(parameter.data() + kTimeout.size(), end, seconds);
        if (read.ec == std::errc{} && read.ptr == end) head.keep_alive_timeout = std::chrono::seconds{seconds};
    });
}

std::optional<Refusal> read_meaning(Method asked, ResponseHead& head)
{
    const auto said = body_length(head.fields, head.version);
    if (!said) return said.error();
    decide_framing(*said, asked, head);
    if (const auto refused = read_connection(head.fields, head.connection)) return refused;
    head.keep_alive = persists(head.version, head.connection) && head.framing.kind != Framing::Kind::until_close &&
                      head.status != 101;
    read_keep_alive(head);
    if (const Field* upgrade = head.fields.find(FieldName::upgrade); upgrade != nullptr && head.connection.upgrade)
        head.upgrade = upgrade->value;
    return std::nullopt;
}

} // namespace

void clear(ResponseHead& head)
{
    clear_head(head);
}

std::expected<void, Refused> complete_response(std::string_view status, Method asked, bool ended, ResponseHead& into)
{
    into.version = Version::http2;
    const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), into.status);
    if (error != std::errc{} || end != status.data() + status.size() || status.size() != 3 || into.status < 100)
        return std::unexpected{Refused{Refusal::malformed_status_line}};
    // RFC 9113 §8.6: there is no upgrade.
    if (into.status == 101) return std::unexpected{Refused{Refusal::malformed_status_line}};
    if (const auto refused = check_http2_fields(into.fields)) return std::unexpected{Refused{*refused}};
    const auto said = body_length(into.fields, into.version);
    if (!said) return std::unexpected{Refused{said.error()}};
    decide_framing(*said, asked, into);
    if (into.framing.kind == Framing::Kind::until_close)
        into.framing = ended ? Framing{Framing::Kind::length, 0} : Framing{Framing::Kind::chunked};
    into.keep_alive = true;
    return {};
}

std::expected<void, Refused> parse_response(std::string_view head, const Limits& limits, Method asked,
                                            ResponseHead& into)
{
    clear(into);
    const std::size_t line_end = head.find("\r\n");
    if (const auto refused = read_status_line(head.substr(0, line_end), into))
        return std::unexpected{Refused{*refused}};
    if (const auto refused = read_fields(head.substr(line_end + 2), limits.fields, into.fields))
        return std::unexpected{*refused};
    if (const auto refused = read_meaning(asked, into)) return std::unexpected{Refused{*refused}};
    return {};
}

} // namespace sallyport::http
