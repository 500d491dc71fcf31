#include "sallyport/http/pseudo_fields.hpp"

#include <algorithm>
#include <array>

#include "characters.hpp"
#include "http2_fields.hpp"
#include "request_meaning.hpp"

namespace sallyport::http {

namespace {

/// RFC 8441 §5: a CONNECT that names a protocol is the upgrade of HTTP/1.1, which begins with a GET.
std::optional<Refusal> take_method(const RequestPseudoFields& said, RequestHead& into)
{
    if (said.protocol.empty()) return read_method(said.method, into);
    if (said.method != "CONNECT" || said.protocol != "websocket") return Refusal::connect_unsupported;
    into.method_text = "GET";
    into.method = Method::get;
    return std::nullopt;
}

/// The scheme's port; behind another proxy `http` may be what that one was asked for.
std::optional<std::string_view> default_port(std::string_view scheme)
{
    if (equal_but_for_case(scheme, "https")) return "443";
    if (equal_but_for_case(scheme, "http")) return "80";
    return std::nullopt;
}

void decide_framing(const RequestPseudoFields& said, bool ended, RequestHead& into)
{
    if (!said.protocol.empty()) {
        into.framing = {};
        into.upgrade = said.protocol;
    } else if (into.framing.kind == Framing::Kind::none && !ended) {
        into.framing.kind = Framing::Kind::chunked;
    }
}

std::optional<Refusal> complete(const RequestPseudoFields& said, bool ended, const Limits& limits, RequestHead& into)
{
    into.version = Version::http2;
    if (const auto refused = take_method(said, into)) return refused;
    if (const auto refused = read_path(said.path, limits, into)) return refused;
    const auto port = default_port(said.scheme);
    if (!port) return Refusal::unknown_scheme;
    if (const auto refused = check_http2_fields(into.fields)) return refused;
    std::optional<AbsoluteForm> absolute;
    if (!said.authority.empty()) absolute = AbsoluteForm{said.authority, *port};
    if (const auto refused = read_meaning(absolute, into)) return refused;
    if (into.fields.find(FieldName::host) == nullptr) into.fields.add(text(FieldName::host), into.authority);
    decide_framing(said, ended, into);
    return std::nullopt;
}

} // namespace

std::optional<Refusal> check_http2_fields(const Fields& fields)
{
    constexpr std::array kOfAConnection{FieldName::connection, FieldName::keep_alive, FieldName::proxy_connection,
                                        FieldName::transfer_encoding, FieldName::upgrade};
    const bool any = std::ranges::any_of(kOfAConnection, [&](auto name) { return fields.find(name) != nullptr; });
    return any ? std::optional{Refusal::field_of_a_connection} : std::nullopt;
}

std::expected<void, Refused> complete_request(const RequestPseudoFields& said, bool ended, const Limits& limits,
                                              RequestHead& into)
{
    if (const auto refused = complete(said, ended, limits, into)) return std::unexpected{Refused{*refused}};
    return {};
}

} // namespace sallyport::http
