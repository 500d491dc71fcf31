#include "addresses.hpp"

#include <algorithm>
#include <array>

namespace sallyport::config {

namespace {

constexpr std::string_view kBindForms =
    "write ':443' (every address), '10.0.0.1:443', '[::1]:443', 'unix:/run/x.sock', 'fd:3' or 'systemd:NAME'";
constexpr std::string_view kUpstreamForms =
    "this version takes an address or a Unix socket: '127.0.0.1:7766', '[::1]:7766', '7766' or 'unix:/run/app.sock'";
constexpr Range kPorts{1, 65535};
constexpr Range kInherited{3, 65535};
constexpr std::size_t kNameMost = 255;

bool is_number(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool takes_prefix(std::string_view& text, std::string_view prefix)
{
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// What keeps a text with a colon from being an address; `forms` says what would be one.
std::string address_error(std::string_view text, std::string_view forms)
{
    std::string why = "is not an address; ";
    const std::string_view port = text.substr(std::min(text.rfind(':'), text.size() - 1) + 1);
    if (text.starts_with("unix:"))
        why = "is not the path of a Unix socket, of 1 to 107 bytes; ";
    else if (text.find(':') != std::string_view::npos && is_number(port) && !parse_integer(port, kPorts))
        why = "has a port that is not between 1 and 65535; ";
    return why + std::string{forms};
}

Parsed<SocketAddress> parse_address(std::string_view text, std::string_view forms)
{
    const auto address = SocketAddress::parse(text);
    if (!address) return std::unexpected{address_error(text, forms)};
    return *address;
}

Parsed<Bind> with(std::string_view text, decltype(Bind::where) where)
{
    return Bind{.text = std::string{text}, .where = std::move(where)};
}

Parsed<Bind> parse_any(std::string_view text, std::string_view port)
{
    const auto number = parse_integer(port, kPorts);
    if (!number) return std::unexpected{"has a port that " + number.error()};
    return with(text, AnyAddress{static_cast<std::uint16_t>(*number)});
}

Parsed<Bind> parse_inherited(std::string_view text, std::string_view descriptor)
{
    const auto number = parse_integer(descriptor, kInherited);
    if (!number) return std::unexpected{"names a descriptor that " + number.error()};
    return with(text, InheritedFd{static_cast<int>(*number)});
}

Parsed<Bind> parse_systemd(std::string_view text, std::string_view name)
{
    const auto is_fit = [](char c) { return c > ' ' && c < 0x7f && c != ':'; };
    if (name.empty() || name.size() > kNameMost || !std::ranges::all_of(name, is_fit))
        return std::unexpected{std::string{"must end in the FileDescriptorName= of the systemd socket"}};
    return with(text, SystemdName{std::string{name}});
}

std::string scheme_error(std::string_view text)
{
    const std::string scheme{text.substr(0, text.find("://"))};
    return "is a URL, and '" + scheme + "://' is not part of this version; " + std::string{kUpstreamForms};
}

/// "app.example:7766" or "app.example".
bool is_host_name(std::string_view text)
{
    const std::string_view host = text.substr(0, text.find(':'));
    const auto is_fit = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    const auto is_part_of_address = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
    return host != "unix" && !host.empty() && text.find("::") == std::string_view::npos &&
           std::ranges::all_of(host, is_fit) && !std::ranges::all_of(host, is_part_of_address);
}

bool is_wildcard(const SocketAddress& address)
{
    return address.text() == "0.0.0.0:" + std::to_string(address.port()) ||
           address.text() == "[::]:" + std::to_string(address.port());
}

/// Whether `a` is a port of every address, and `b` that port of the IPv4 or IPv6 wildcard.
bool covers(const Bind& a, const Bind& b)
{
    const auto* any = std::get_if<AnyAddress>(&a.where);
    const auto* address = std::get_if<SocketAddress>(&b.where);
    return any != nullptr && address != nullptr && address->port() == any->port && is_wildcard(*address);
}

} // namespace

Parsed<Bind> BindText::parse(std::string_view text) const
{
    std::string_view rest = text;
    if (is_number(text)) return parse_any(text, text);
    if (takes_prefix(rest, "fd:")) return parse_inherited(text, rest);
    if (takes_prefix(rest, "systemd:")) return parse_systemd(text, rest);
    if (takes_prefix(rest, ":")) return parse_any(text, rest);
    const auto address = parse_address(text, kBindForms);
    if (!address) return std::unexpected{address.error()};
    return with(text, *address);
}

Node BindText::schema() const
{
    Node schema = pattern_schema(":?[0-9]+|[0-9.]+:[0-9]+|\\[[0-9A-Fa-f:.]+\\]:[0-9]+|unix:.+|fd:[0-9]+|systemd:[^:]+");
    schema.put("type", list_node({string_node("string"), string_node("integer")}));
    return schema;
}

Parsed<SocketAddress> UpstreamText::parse(std::string_view text) const
{
    constexpr std::string_view kLocalhost = "localhost:";
    if (text.find("://") != std::string_view::npos) return std::unexpected{scheme_error(text)};
    if (text.find(',') != std::string_view::npos && !text.starts_with("unix:"))
        return std::unexpected{"is a list; " + std::string{kUpstreamForms}};
    std::string_view port = text;
    if (is_number(text) || takes_prefix(port, kLocalhost))
        return parse_address("127.0.0.1:" + std::string{port}, kUpstreamForms);
    if (is_host_name(text))
        return std::unexpected{"is a name, and names are not looked up in this version; " +
                               std::string{kUpstreamForms}};
    return parse_address(text, kUpstreamForms);
}

Node UpstreamText::schema() const
{
    Node schema = pattern_schema("[0-9]+|localhost:[0-9]+|[0-9.]+:[0-9]+|\\[[0-9A-Fa-f:.]+\\]:[0-9]+|unix:.+");
    schema.put("type", list_node({string_node("string"), string_node("integer")}));
    return schema;
}

bool is_in_file_system(const Bind& bind)
{
    const auto* address = std::get_if<SocketAddress>(&bind.where);
    return address != nullptr && !address->unix_path().empty();
}

bool is_same_place(const Bind& a, const Bind& b)
{
    return a.where == b.where || covers(a, b) || covers(b, a);
}

} // namespace sallyport::config
