#include "site_kinds.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "lists.hpp"
#include "sallyport/http/name_set.hpp"

namespace sallyport::config {

namespace {

constexpr std::size_t kHostMost = 253;
constexpr std::size_t kPathMost = 1024;
constexpr std::size_t kMethodMost = 32;
constexpr std::size_t kFieldNameMost = 128;
constexpr std::size_t kFieldValueMost = 4096;
constexpr std::string_view kWildcard = "*.";

std::unexpected<std::string> no(std::string why)
{
    return std::unexpected{std::move(why)};
}

bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Node string_schema(std::string_view pattern, std::size_t most)
{
    Node schema = pattern_schema(pattern);
    schema.put("maxLength", plain_node(std::to_string(most)));
    return schema;
}

/// The 16 bytes of an address, IPv4 as IPv6; nothing if the text is none.
std::optional<std::array<std::byte, 16>> parse_bytes(const std::string& text)
{
    std::array<std::byte, 16> bytes{};
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
    bytes[10] = bytes[11] = std::byte{0xff};
    if (inet_pton(AF_INET, text.c_str(), &bytes[12]) == 1) return bytes;
    return std::nullopt;
}

/// Whether nothing is set behind the first `prefix` bits.
bool ends_at(const std::array<std::byte, 16>& address, std::size_t prefix)
{
    for (std::size_t bit = prefix; bit < 128; ++bit)
        if ((address[bit / 8] >> (7 - bit % 8) & std::byte{1}) != std::byte{0}) return false;
    return true;
}

/// What keeps a path from being a prefix that everybody reads alike.
std::optional<std::string> path_error(std::string_view path)
{
    if (!path.starts_with('/')) return "does not begin with '/'";
    if (path.size() > kPathMost) return "is longer than " + std::to_string(kPathMost) + " bytes";
    if (path.find('*') != std::string_view::npos) return "has a '*': it is a prefix, and has what is below it";
    if (path.find('%') != std::string_view::npos)
        return "has an escape: end it before; what can be read in two ways is refused when it is asked for";
    const auto is_fit = [](char c) {
        return c > ' ' && c < 0x7f && std::string_view{"\\;?#"}.find(c) == std::string_view::npos;
    };
    if (!std::ranges::all_of(path, is_fit)) return "has a character that no path has as it is";
    for (std::string_view rest = path.substr(1); !rest.empty();) {
        const std::string_view segment = rest.substr(0, rest.find('/'));
        if (segment.empty() || segment == "." || segment == "..") return "has an empty segment, or one of dots";
        rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
    }
    return std::nullopt;
}

} // namespace

Parsed<std::string> HostText::parse(std::string_view text) const
{
    std::string_view host = text;
    if (host.starts_with(kWildcard)) host.remove_prefix(kWildcard.size());
    if (host.find('*') != std::string_view::npos) return no("may have a '*' as its first label only: *.example.com");
    if (host.starts_with('[') && host.ends_with(']')) {
        const auto address = parse_bytes(std::string{host.substr(1, host.size() - 2)});
        if (!address || host.size() != text.size()) return no("is not an IPv6 address in brackets");
        return std::string{text};
    }
    if (std::ranges::count(host, ':') > 1) return no("is an IPv6 address: write it in brackets, as clients do");
    if (host.find(':') != std::string_view::npos) return no("has a port: a route has the requests for every port");
    if (std::ranges::any_of(host, [](char c) { return (c & 0x80) != 0; }))
        return no("is not in the form that clients send: write its labels as xn--…");
    const auto is_fit = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_'; };
    if (host.empty() || host.size() > kHostMost || !std::ranges::all_of(host, is_fit) || host.starts_with('.') ||
        host.find("..") != std::string_view::npos)
        return no("is not a host name");
    return std::string{text};
}

Node HostText::schema() const
{
    return string_schema("(\\*\\.)?[A-Za-z0-9_][A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\]", kHostMost + kWildcard.size());
}

Parsed<std::string> PathText::parse(std::string_view text) const
{
    if (auto error = path_error(text)) return std::unexpected{std::move(*error)};
    return std::string{text};
}

Node PathText::schema() const
{
    return string_schema("/[^%*;?#\\\\ ]*", kPathMost);
}

Parsed<std::string> MethodText::parse(std::string_view text) const
{
    if (!http::is_token(text) || text.size() > kMethodMost) return no("is not a method");
    std::string upper{text};
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (upper != text) return no("is not in capitals: did you mean '" + upper + "'?");
    if (upper == "CONNECT") return no("is never forwarded");
    return upper;
}

Node MethodText::schema() const
{
    return string_schema("[^a-z ]+", kMethodMost);
}

Parsed<RedirectText::Value> RedirectText::parse(std::string_view text) const
{
    constexpr std::string_view kScheme = "https";
    constexpr std::uint16_t kPort = 443;
    if (text == kScheme) return kPort;
    if (!text.starts_with("https:")) return no("is not https, or https:8443 for another port");
    const auto port = parse_integer(text.substr(kScheme.size() + 1), {1, 65535});
    if (!port) return no("has a port that " + port.error());
    return static_cast<std::uint16_t>(*port);
}

Node RedirectText::write(const Value& port) const
{
    return string_node(port == 443 ? "https" : "https:" + std::to_string(port.value_or(0)));
}

Parsed<TrustedProxy> TrustedProxyText::parse(std::string_view text) const
{
    TrustedProxy proxy{.text = std::string{text}};
    if (proxy.is_unix()) return proxy;
    const std::size_t slash = text.find('/');
    const std::string host{text.substr(0, slash)};
    const auto address = parse_bytes(host);
    if (!address) return no("is not a network: write 10.0.0.0/8, 192.0.2.1, fd00::/8 or unix");
    const bool is_ipv4 = host.find(':') == std::string::npos;
    const std::uint64_t bits = is_ipv4 ? 32 : 128;
    const auto prefix = slash == std::string_view::npos ? Parsed<std::uint64_t>{bits}
                                                        : parse_integer(text.substr(slash + 1), {0, bits});
    if (!prefix) return no("has a prefix that " + prefix.error());
    proxy.address = *address;
    proxy.prefix = static_cast<std::uint8_t>(*prefix + (is_ipv4 ? 96 : 0));
    if (!ends_at(proxy.address, proxy.prefix)) return no("has bits behind its prefix: they would count for nothing");
    return proxy;
}

Parsed<std::string> FieldNameText::parse(std::string_view text) const
{
    if (!http::is_token(text) || text.size() > kFieldNameMost) return no("is not the name of a field");
    const http::FieldName name = http::field_name(text);
    if (name == http::FieldName::lookalike) return no("is one that some apps take for another: write '-' for '_'");
    if (http::kNeverCopied.contains(name))
        return no("is about the message's framing or one connection: Sallyport writes it anew, or not at all");
    return std::string{text};
}

Node FieldNameText::schema() const
{
    return string_schema("[!#$%&'*+.^_`|~0-9A-Za-z-]+", kFieldNameMost);
}

std::optional<HeaderLines::Value> HeaderLines::read(const Node& node, std::string_view key, Mistakes& mistakes) const
{
    if (!is_of_form(Node::Form::mapping, node, key, "a mapping from names of fields to values", mistakes))
        return std::nullopt;
    if (!is_within(lines_max, node, key, mistakes)) return std::nullopt;
    Value lines;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const auto name = read_text(FieldNameText{}, node.keys[i], key, mistakes);
        const Node& value = node.items[i];
        if (!name || !is_of_form(Node::Form::scalar, value, *name, "a field's value", mistakes)) continue;
        if (value.text.size() > kFieldValueMost || !http::is_field_value(value.text)) {
            mistakes.report(value.at, *name + " " + quote(value.written) +
                                          " is not a field's value: it has no line breaks or control characters, no "
                                          "blanks at its ends, and at most 4096 bytes");
            continue;
        }
        lines.push_back({*name, value.text});
    }
    return lines;
}

Node HeaderLines::write(const Value& lines) const
{
    Node node = mapping_node();
    for (const HeaderLine& line : lines)
        node.put(line.name, string_node(line.value));
    return node;
}

Node HeaderLines::schema() const
{
    Node value = mapping_node();
    value.put("type", list_node({string_node("string"), string_node("number"), string_node("boolean")}));
    value.put("maxLength", plain_node(std::to_string(kFieldValueMost)));
    Node schema = mapping_node();
    schema.put("type", string_node("object"));
    schema.put("propertyNames", FieldNameText{}.schema());
    schema.put("additionalProperties", std::move(value));
    schema.put("maxProperties", plain_node(std::to_string(lines_max)));
    return schema;
}

} // namespace sallyport::config
