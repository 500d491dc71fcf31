#include "addresses.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "lists.hpp"

namespace sallyport::config {

namespace {

constexpr std::string_view kBindForms =
    "write ':443' (every address), '10.0.0.1:443', '[::1]:443', 'unix:/run/x.sock', 'fd:3' or 'systemd:NAME'";
constexpr std::string_view kUpstreamForms =
    "write '127.0.0.1:7766', '[::1]:7766', '7766', 'app.internal:7766' or 'unix:/run/app.sock'";
constexpr std::string_view kAdminForms = "write 'auto', 'none', 'unix:@name', 'unix:/run/x.sock' or '127.0.0.1:9901'";
constexpr std::string_view kServerForms = "write '10.0.0.2', 'fd00::2' or, with a port, '127.0.0.1:8600'";
constexpr std::uint16_t kDnsPort = 53;
constexpr std::array kSchemes{std::pair{std::string_view{"http://"}, Protocol::http1},
                              std::pair{std::string_view{"h2c://"}, Protocol::h2c}};
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
    const std::string scheme{text.substr(0, text.find("://") + 3)};
    if (scheme == "tls://" || scheme == "https://")
        return "is a URL, and '" + scheme + "', TLS to the app, is not part of this version; " +
               std::string{kUpstreamForms};
    return "is a URL of '" + scheme + "', which is not known: 'http://' and 'h2c://' are";
}

/// "app.example" or "app.example.": labels of letters, digits, '-' and '_', and not only digits.
bool is_host_name(std::string_view host)
{
    constexpr std::size_t kLabelMost = 63;
    constexpr std::size_t kNameMostDns = 253;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_fit = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
    };
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > kNameMostDns) return false;
    std::string_view label;
    for (std::size_t begin = 0; begin <= host.size(); begin += label.size() + 1) {
        label = host.substr(begin, host.find('.', begin) - begin);
        if (label.empty() || label.size() > kLabelMost || !std::ranges::all_of(label, is_fit)) return false;
    }
    return !std::ranges::all_of(label, is_digit); // 10.0.0 is a mistyped address
}

/// "app.internal:7766" as a name; nothing if the text is none.
std::optional<Parsed<AppAddress>> parse_name(std::string_view text)
{
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view host = text.substr(0, colon);
    if (!is_host_name(host) || host == "unix") return std::nullopt;
    if (colon == text.size())
        return std::unexpected{"has no port: write '" + std::string{host} + ":7766', or another one"};
    const auto port = parse_integer(text.substr(colon + 1), kPorts);
    if (!port) return std::unexpected{"has a port that " + port.error()};
    return AppAddress{.host = std::string{host}, .port = static_cast<std::uint16_t>(*port)};
}

Parsed<AppAddress> parse_app(std::string_view text)
{
    constexpr std::string_view kLocalhost = "localhost:";
    std::string local;
    std::string_view port = text;
    if (is_number(text) || takes_prefix(port, kLocalhost)) {
        local = "127.0.0.1:" + std::string{port};
        text = local;
    }
    if (const auto name = parse_name(text)) return *name;
    const auto address = parse_address(text, kUpstreamForms);
    if (!address) return std::unexpected{address.error()};
    return AppAddress{.address = *address};
}

Parsed<SocketAddress> parse_server(std::string_view text)
{
    if (const auto with_port = SocketAddress::parse(text); with_port && !with_port->is_unix()) return *with_port;
    const std::string host =
        text.find(':') == std::string_view::npos ? std::string{text} : "[" + std::string{text} + "]";
    const auto address = SocketAddress::parse(host + ":" + std::to_string(kDnsPort));
    if (!address) return std::unexpected{"is not the address of a name server; " + std::string{kServerForms}};
    return *address;
}

/// For `read_text`.
struct ServerText {
    using Value = SocketAddress;
    Parsed<SocketAddress> parse(std::string_view text) const { return parse_server(text); }
    std::string_view what() const { return "the address of a name server"; }
};

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

Parsed<AdminBind> AdminText::parse(std::string_view text) const
{
    if (text == "auto") return AdminBind{};
    if (text == "none") return AdminBind{.kind = AdminBind::Kind::none};
    const auto address = parse_address(text, kAdminForms);
    if (!address) return std::unexpected{address.error()};
    if (!address->is_unix() && !address->is_loopback())
        return std::unexpected{
            "can be reached from other machines, and it answers without TLS and without a password; " +
            std::string{kAdminForms}};
    return AdminBind{.kind = AdminBind::Kind::given, .address = *address};
}

Node AdminText::write(const AdminBind& bind) const
{
    if (bind.kind == AdminBind::Kind::given) return string_node(bind.address.text());
    return string_node(bind.kind == AdminBind::Kind::none ? "none" : "auto");
}

Node AdminText::schema() const
{
    return pattern_schema("auto|none|127\\.[0-9.]+:[0-9]+|\\[::1\\]:[0-9]+|unix:.+");
}

Parsed<UpstreamText::Value> UpstreamText::parse(std::string_view text) const
{
    Protocol protocol = Protocol::http1;
    const auto scheme =
        std::ranges::find_if(kSchemes, [&](const auto& known) { return text.starts_with(known.first); });
    if (scheme != kSchemes.end()) {
        text.remove_prefix(scheme->first.size());
        protocol = scheme->second;
    }
    if (text.find("://") != std::string_view::npos) return std::unexpected{scheme_error(text)};
    if (!text.starts_with("unix:") && text.find(',') != std::string_view::npos)
        return std::unexpected{std::string{"holds a comma: a list is written in the file, as [a:7766, b:7766]"}};
    if (!text.starts_with("unix:") && text.find('/') != std::string_view::npos)
        return std::unexpected{std::string{"holds a path: it must end with the port"}};
    const auto address = parse_app(text);
    if (!address) return std::unexpected{address.error()};
    return Value{protocol, *address};
}

Node UpstreamText::write(const Value& value) const
{
    return string_node((value.protocol == Protocol::h2c ? "h2c://" : "") + value.address.text());
}

Node UpstreamText::schema() const
{
    Node schema =
        pattern_schema("(http://|h2c://)?([0-9]+|[0-9A-Za-z_.-]+:[0-9]+|\\[[0-9A-Fa-f:.]+\\]:[0-9]+|unix:.+)");
    schema.put("type", list_node({string_node("string"), string_node("integer")}));
    return schema;
}

std::optional<AppAddresses> UpstreamTexts::read(const Node& node, std::string_view key, Mistakes& mistakes) const
{
    const bool is_list = node.form == Node::Form::list;
    if (is_list && !is_within(items_max, node, key, mistakes)) return std::nullopt;
    if (is_list && node.items.empty()) {
        mistakes.report(node.at, quote(key) + " is empty: it must be " + std::string{UpstreamText{}.what()});
        return std::nullopt;
    }
    AppAddresses addresses;
    for (const Node& item : is_list ? std::span{node.items} : std::span{&node, 1}) {
        const auto one = read_text(UpstreamText{}, item, key, mistakes);
        if (!one) continue;
        if (!addresses.list.empty() && one->protocol != addresses.protocol)
            mistakes.report(item.at, std::string{key} + " " + quote(item.written) +
                                         " speaks another protocol than those before it: make it another upstream");
        addresses.protocol = one->protocol;
        addresses.list.push_back(one->address);
    }
    return addresses;
}

Node UpstreamTexts::write(const AppAddresses& addresses) const
{
    Node list = list_node();
    for (const AppAddress& address : addresses.list)
        list.items.push_back(UpstreamText{}.write({addresses.protocol, address}));
    return list.items.size() == 1 ? list.items.front() : list;
}

Node UpstreamTexts::schema() const
{
    Node schema = mapping_node();
    Node list = array_schema(UpstreamText{}.schema(), items_max);
    list.put("minItems", plain_node("1"));
    schema.put("anyOf", list_node({UpstreamText{}.schema(), std::move(list)}));
    return schema;
}

std::optional<NameServers::Value> NameServers::read(const Node& node, std::string_view key, Mistakes& mistakes) const
{
    if (!is_of_form(Node::Form::list, node, key, "a list", mistakes)) return std::nullopt;
    if (!is_within(items_max, node, key, mistakes)) return std::nullopt;
    Value servers;
    for (const Node& item : node.items)
        if (const auto server = read_text(ServerText{}, item, key, mistakes)) servers.push_back(*server);
    return servers;
}

Node NameServers::write(const Value& servers) const
{
    Node list = list_node();
    for (const SocketAddress& server : servers)
        list.items.push_back(string_node(server.text()));
    return list;
}

Node NameServers::schema() const
{
    return array_schema(pattern_schema("[0-9.]+(:[0-9]+)?|[0-9A-Fa-f:.]+|\\[[0-9A-Fa-f:.]+\\]:[0-9]+"), items_max);
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
