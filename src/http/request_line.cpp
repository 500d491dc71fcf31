#include "request_line.hpp"

#include <algorithm>
#include <array>

#include "characters.hpp"

namespace sallyport::http {

namespace {

struct NamedMethod {
    std::string_view name;
    Method method;
};

/// In the order of their use.
constexpr std::array kMethods{
    NamedMethod{"GET", Method::get},         NamedMethod{"POST", Method::post},
    NamedMethod{"HEAD", Method::head},       NamedMethod{"PUT", Method::put},
    NamedMethod{"PATCH", Method::patch},     NamedMethod{"DELETE", Method::del},
    NamedMethod{"OPTIONS", Method::options}, NamedMethod{"TRACE", Method::trace},
    NamedMethod{"CONNECT", Method::connect},
};

/// The longest that IANA knows has 17 letters.
constexpr std::size_t kMethodMax = 32;

Method method_of(std::string_view name)
{
    const auto* const found = std::ranges::find(kMethods, name, &NamedMethod::name);
    return found == kMethods.end() ? Method::other : found->method;
}

struct Scheme {
    std::string_view prefix;
    std::string_view port;
};
constexpr std::array kSchemes{Scheme{"http://", "80"}, Scheme{"https://", "443"}};

std::optional<AbsoluteForm> absolute_form(std::string_view target, std::string_view& path)
{
    for (const Scheme& scheme : kSchemes) {
        if (!equal_but_for_case(target.substr(0, scheme.prefix.size()), scheme.prefix)) continue;
        const std::string_view rest = target.substr(scheme.prefix.size());
        const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
        path = rest.substr(end);
        return AbsoluteForm{rest.substr(0, end), scheme.port};
    }
    return std::nullopt;
}

/// What any target has to be.
std::optional<Refusal> take_target(std::string_view target, const Limits& limits, RequestHead& into)
{
    if (target.size() > limits.target_bytes) return Refusal::target_too_long;
    if (!consists_of(target, kTargetByte)) return Refusal::invalid_target;
    into.target = into.path = target;
    return std::nullopt;
}

/// RFC 9112 §3.2: origin-form, or "*" for OPTIONS.
bool is_path(std::string_view target, Method method)
{
    return target.starts_with('/') || (target == "*" && method == Method::options);
}

/// RFC 9112 §3.2: a path, or absolute-form; authority-form is CONNECT's alone.
std::optional<Refusal> read_target(std::string_view target, const Limits& limits, RequestHead& into,
                                   std::optional<AbsoluteForm>& absolute)
{
    if (const auto refused = take_target(target, limits, into)) return refused;
    if (is_path(target, into.method)) return std::nullopt;
    absolute = absolute_form(target, into.path);
    if (!absolute) return Refusal::invalid_target;
    // RFC 9112 §3.2.4: OPTIONS without a path asks about the server.
    if (into.method == Method::options && into.path.empty()) into.path = "*";
    return std::nullopt;
}

} // namespace

std::optional<Refusal> read_method(std::string_view text, RequestHead& into)
{
    if (!consists_of(text, kTokenByte)) return Refusal::invalid_method;
    if (text.size() > kMethodMax) return Refusal::method_too_long;
    into.method_text = text;
    into.method = method_of(text);
    // A tunnel to anywhere is what this proxy exists to forbid.
    if (into.method == Method::connect) return Refusal::connect_unsupported;
    return std::nullopt;
}

std::optional<Refusal> read_path(std::string_view target, const Limits& limits, RequestHead& into)
{
    if (const auto refused = take_target(target, limits, into)) return refused;
    return is_path(target, into.method) ? std::nullopt : std::optional{Refusal::invalid_target};
}

std::optional<Refusal> read_version(std::string_view text, Version& into)
{
    constexpr std::string_view kName = "HTTP/";
    if (text == "HTTP/1.1" || text == "HTTP/1.0") {
        into = text.back() == '1' ? Version::http11 : Version::http10;
        return std::nullopt;
    }
    const bool well_formed = text.size() == kName.size() + 3 && text.starts_with(kName) && is_digit(text[5]) &&
                             text[6] == '.' && is_digit(text[7]);
    return well_formed ? Refusal::unsupported_version : Refusal::malformed_version;
}

std::optional<Refusal> read_request_line(std::string_view line, const Limits& limits, RequestHead& into,
                                         std::optional<AbsoluteForm>& absolute)
{
    if (line.find('\r') != std::string_view::npos) return Refusal::bare_cr;
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == 0 || first == last || last + 1 == line.size()) return Refusal::malformed_request_line;
    const std::string_view target = line.substr(first + 1, last - first - 1);
    // Blanks in it, or around it: nobody could say which part is the target.
    if (target.empty() || target.find_first_of(" \t") != std::string_view::npos) return Refusal::malformed_request_line;
    if (const auto refused = read_method(line.substr(0, first), into)) return refused;
    if (const auto refused = read_version(line.substr(last + 1), into.version)) return refused;
    return read_target(target, limits, into, absolute);
}

} // namespace sallyport::http
