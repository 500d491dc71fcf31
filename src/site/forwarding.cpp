#include "sallyport/site/forwarding.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace sallyport::site {

namespace {

using http::Field;
using http::FieldName;

constexpr std::size_t kRequestIdMax = 128;
constexpr std::size_t kOwnLines = 6; ///< as many as HeaderPlan::Own has

/// Each byte's two digits.
constexpr auto kHexPairs = [] {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t byte = 0; byte < pairs.size(); ++byte)
        pairs[byte] = {kDigits[byte / 16], kDigits[byte % 16]};
    return pairs;
}();

/// IPv4 as IPv6, so that there is one comparison.
std::array<std::byte, 16> bytes_of(const SocketAddress& address)
{
    std::array<std::byte, 16> bytes{};
    if (address.family() == AF_INET6) {
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr, bytes.size());
    } else {
        bytes[10] = bytes[11] = std::byte{0xff};
        std::memcpy(&bytes[12], &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr, 4);
    }
    return bytes;
}

bool is_in(const std::array<std::byte, 16>& address, const ipc::Network& network)
{
    const std::size_t whole = network.prefix / 8U;
    const unsigned rest = network.prefix % 8U;
    if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), network.address.begin()))
        return false;
    return rest == 0 || ((address[whole] ^ network.address[whole]) >> (8 - rest)) == std::byte{0};
}

bool is_mapped_ipv4(const std::array<std::byte, 16>& address)
{
    constexpr std::array<std::byte, 12> kPrefix{
        {{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{0xff}, std::byte{0xff}}};
    return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

/// The value of a trusted proxy's field; empty: there is none.
std::string_view said(const http::RequestHead& head, const ClientFacts& client, FieldName name)
{
    const Field* const field = client.trusted() ? head.fields.find(name) : nullptr;
    return field == nullptr ? std::string_view{} : field->value;
}

/// The port that the client means: its host's, or that of the scheme.
std::string_view port_of(std::string_view authority, std::string_view scheme)
{
    const std::size_t colon = authority.rfind(':');
    const bool is_port = colon != std::string_view::npos && colon + 1 < authority.size() && !authority.ends_with(']');
    if (is_port) return authority.substr(colon + 1);
    return scheme == "https" ? "443" : "80";
}

/// All fields of this name, which are one list (RFC 9110 §5.3), and a comma behind it.
void append_said(std::string& out, const http::RequestHead& head, FieldName name)
{
    if (head.fields.find(name) == nullptr) return;
    for (const Field& field : head.fields)
        if (field.id == name && !field.value.empty()) out.append(field.value).append(", ");
}

/// The size of what `append_said` may append.
std::size_t size_of_said(const http::RequestHead& head)
{
    std::size_t size = 0;
    for (const Field& field : head.fields)
        if (field.id == FieldName::x_forwarded_for || field.id == FieldName::forwarded) size += field.value.size() + 2;
    return size;
}

/// RFC 7239 §6: an IPv6 address has brackets, which are no token's, so it is quoted.
void append_node(std::string& out, std::string_view address)
{
    const bool is_ipv6 = address.find(':') != std::string_view::npos;
    out.append("for=").append(is_ipv6 ? "\"[" : "");
    out.append(address.empty() ? "unknown" : address).append(is_ipv6 ? "]\"" : "");
}

} // namespace

bool TrustedProxies::contains(const SocketAddress& peer) const
{
    if (peer.is_unix()) return unix_sockets_;
    if (networks_.empty()) return false;
    const std::array<std::byte, 16> address = bytes_of(peer);
    return std::ranges::any_of(networks_, [&](const ipc::Network& network) { return is_in(address, network); });
}

ClientFacts::ClientFacts(const SocketAddress& peer, bool trusted) : trusted_{trusted}
{
    if (peer.is_unix()) return;
    const std::array<std::byte, 16> bytes = bytes_of(peer);
    const bool ipv4 = is_mapped_ipv4(bytes);
    inet_ntop(ipv4 ? AF_INET : AF_INET6, &bytes[ipv4 ? 12 : 0], address_.data(),
              static_cast<socklen_t>(address_.size()));
    size_ = static_cast<std::uint8_t>(std::strlen(address_.data()));
}

void RequestEdits::prepare(const Route& route, const http::RequestHead& head, const ClientFacts& client,
                           RequestSeed seed)
{
    const HeaderPlan& plan = route.headers;
    removed_ = client.trusted() ? &plan.removed_trusted_ : &plan.removed_;
    count_ = 0;
    if (lines_.size() < kOwnLines + plan.added_.size()) lines_.resize(kOwnLines + plan.added_.size());
    text_.clear();
    // Once, as views of it are taken before it is whole.
    if (client.trusted() || plan.own_.forwarded)
        text_.reserve(size_of_said(head) + 3 * client.address().size() + head.authority.size() + 64);
    add_x_forwarded(plan, head, client);
    add_forwarded(plan, head, client);
    add_request_id(plan, head, client, seed);
    for (const http::Line& line : plan.added_)
        add(line);
}

void RequestEdits::add_x_forwarded(const HeaderPlan& plan, const http::RequestHead& head, const ClientFacts& client)
{
    const HeaderPlan::Own own = plan.own_;
    if (own.x_forwarded_for) add_x_forwarded_for(head, client);

    const std::string_view said_proto = said(head, client, FieldName::x_forwarded_proto);
    const std::string_view said_host = said(head, client, FieldName::x_forwarded_host);
    const std::string_view said_port = said(head, client, FieldName::x_forwarded_port);
    const std::string_view proto = !said_proto.empty() ? said_proto : plan.tls_ ? "https" : "http";
    const std::string_view host = !said_host.empty() ? said_host : head.authority;
    if (own.x_forwarded_proto && said_proto.empty()) add({"X-Forwarded-Proto", proto});
    if (own.x_forwarded_host && said_host.empty() && !host.empty()) add({"X-Forwarded-Host", host});
    if (own.x_forwarded_port && said_port.empty()) add({"X-Forwarded-Port", port_of(host, proto)});
}

void RequestEdits::add_x_forwarded_for(const http::RequestHead& head, const ClientFacts& client)
{
    const std::size_t begin = text_.size();
    if (client.trusted()) append_said(text_, head, FieldName::x_forwarded_for);
    if (text_.size() == begin) {
        if (!client.address().empty()) add({"X-Forwarded-For", client.address()});
        return;
    }
    // A trusted peer without an address adds none: the last one is whom it vouches for.
    if (client.address().empty())
        text_.resize(text_.size() - 2);
    else
        text_.append(client.address());
    add({"X-Forwarded-For", std::string_view{text_}.substr(begin)});
}

void RequestEdits::add_forwarded(const HeaderPlan& plan, const http::RequestHead& head, const ClientFacts& client)
{
    if (!plan.own_.forwarded) return;
    const std::size_t begin = text_.size();
    if (client.trusted()) append_said(text_, head, FieldName::forwarded);
    append_node(text_, client.address());
    // Of a host no more than letters, digits, -._~[]: can have come through the parser: nothing to escape.
    if (!head.authority.empty()) text_.append(";host=\"").append(head.authority).append("\"");
    text_.append(plan.tls_ ? ";proto=https" : ";proto=http");
    add({"Forwarded", std::string_view{text_}.substr(begin)});
}

void RequestEdits::add_request_id(const HeaderPlan& plan, const http::RequestHead& head, const ClientFacts& client,
                                  RequestSeed seed)
{
    request_id_ = {};
    if (!plan.own_.request_id) return;
    request_id_ = said(head, client, FieldName::x_request_id);
    if (!is_request_id(request_id_)) {
        write_request_id(seed, id_);
        request_id_ = {id_.data(), id_.size()};
    }
    add({"X-Request-Id", request_id_});
}

void write_request_id(RequestSeed seed, std::span<char, 32> into)
{
    char* to = into.data();
    for (const std::byte byte : seed) {
        std::memcpy(to, kHexPairs[std::to_integer<std::size_t>(byte)].data(), 2);
        to += 2;
    }
}

bool is_request_id(std::string_view text)
{
    if (text.empty() || text.size() > kRequestIdMax) return false;
    // What base64, UUIDs and trace contexts have beside a token's characters.
    const auto is_fit = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"-_.+=/:@"}.find(c) != std::string_view::npos;
    };
    return std::ranges::all_of(text, is_fit);
}

} // namespace sallyport::site
