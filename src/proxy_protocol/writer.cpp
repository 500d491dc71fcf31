#include "sallyport/proxy_protocol/writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "crc32c.hpp"
#include "format.hpp"

namespace sallyport::proxy_protocol {

namespace {

/// So that all of them together fit, whatever a client has sent.
constexpr std::size_t kTextMost = 255;

struct Address {
    std::array<char, 16> host{}; ///< in the network's order; IPv4 as IPv6
    std::uint16_t port{};
    bool is_ipv4{};
};

constexpr std::size_t kMappedPrefix = 12;

/// Nothing of a Unix socket.
std::optional<Address> address_of(const SocketAddress& from)
{
    Address address{.port = from.port()};
    if (from.family() == AF_INET6) {
        const auto& host = reinterpret_cast<const sockaddr_in6*>(from.data())->sin6_addr;
        std::memcpy(address.host.data(), &host, sizeof host);
        address.is_ipv4 = IN6_IS_ADDR_V4MAPPED(&host);
    } else if (from.family() == AF_INET) {
        address.host[10] = address.host[11] = '\xff';
        std::memcpy(&address.host[kMappedPrefix], &reinterpret_cast<const sockaddr_in*>(from.data())->sin_addr, 4);
        address.is_ipv4 = true;
    } else {
        return std::nullopt;
    }
    return address;
}

/// Both, in the one family that can tell both.
struct Pair {
    Address source;
    Address destination;
    [[nodiscard]] bool is_ipv4() const { return source.is_ipv4 && destination.is_ipv4; }
};

std::optional<Pair> pair_of(const Client& client)
{
    const auto source = address_of(client.source);
    const auto destination = address_of(client.destination);
    if (!source || !destination) return std::nullopt;
    return Pair{*source, *destination};
}

std::string_view bytes_of(const Address& address, bool is_ipv4)
{
    const std::string_view all{address.host.data(), address.host.size()};
    return is_ipv4 ? all.substr(kMappedPrefix) : all;
}

void append_text_of(std::string& out, const Address& address, bool is_ipv4)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, bytes_of(address, is_ipv4).data(), text.data(), text.size());
    out.append(text.data());
}

template <typename Number>
void append_number(std::string& out, Number number)
{
    for (std::size_t left = sizeof number; left-- > 0;)
        out.push_back(static_cast<char>(number >> (8 * left)));
}

void append_field(std::string& out, Field type, std::string_view value)
{
    if (value.empty()) return;
    value = value.substr(0, kTextMost);
    append_number(out, static_cast<std::uint8_t>(type));
    append_number(out, static_cast<std::uint16_t>(value.size()));
    out.append(value);
}

/// Writes what was appended since as a length into the two bytes at `at`.
void put_length(std::string& out, std::size_t at)
{
    const std::size_t size = out.size() - at - 2;
    out[at] = static_cast<char>(size >> 8);
    out[at + 1] = static_cast<char>(size);
}

/// PP §2.2.6: `verify` "will be zero if the client presented a certificate and it was successfully verified, and
/// non-zero otherwise".
void append_tls(std::string& out, const TlsFacts& tls)
{
    append_number(out, static_cast<std::uint8_t>(Field::ssl));
    const std::size_t length_at = out.size();
    append_number(out, std::uint16_t{0});
    const bool is_verified = tls.verified_name.has_value();
    append_number(out, static_cast<std::uint8_t>(is_verified ? kSslUsed | kSslCertificate : kSslUsed));
    append_number(out, std::uint32_t{is_verified ? 0U : 1U});
    append_field(out, Field::ssl_version, tls.version);
    if (is_verified) append_field(out, Field::ssl_cn, *tls.verified_name);
    append_field(out, Field::ssl_cipher, tls.cipher);
    append_field(out, Field::ssl_group, tls.group);
    put_length(out, length_at);
}

void append_addresses(std::string& out, const Pair& pair)
{
    out.append(bytes_of(pair.source, pair.is_ipv4())).append(bytes_of(pair.destination, pair.is_ipv4()));
    append_number(out, pair.source.port);
    append_number(out, pair.destination.port);
}

Family family_of(const std::optional<Pair>& pair)
{
    if (!pair) return Family::unspecified;
    return pair->is_ipv4() ? Family::tcp4 : Family::tcp6;
}

/// Of the header that begins at `begin`, with zeros where the sum comes to stand.
void put_sum(std::string& out, std::size_t begin)
{
    const std::span<const char> header = std::span{out}.subspan(begin);
    const std::uint32_t sum = finished(crc32c(kCrc32cStart, std::as_bytes(header)));
    out.resize(out.size() - kChecksumSize);
    append_number(out, sum);
}

} // namespace

void append_v1(std::string& out, const Client& client)
{
    out.append(kLineStart);
    if (const auto pair = pair_of(client)) {
        const bool is_ipv4 = pair->is_ipv4();
        out.append(is_ipv4 ? "TCP4 " : "TCP6 ");
        append_text_of(out, pair->source, is_ipv4);
        out.push_back(' ');
        append_text_of(out, pair->destination, is_ipv4);
        out.append(" ").append(std::to_string(pair->source.port));
        out.append(" ").append(std::to_string(pair->destination.port));
    } else {
        out.append("UNKNOWN");
    }
    out.append(kLineEnd);
}

void append_v2(std::string& out, const Client& client, bool checksum)
{
    const auto pair = pair_of(client);
    const std::size_t begin = out.size();
    out.append(kSignature);
    append_number(out, static_cast<std::uint8_t>(kVersion2 | static_cast<std::uint8_t>(Command::proxy)));
    append_number(out, static_cast<std::uint8_t>(family_of(pair)));
    const std::size_t length_at = out.size();
    append_number(out, std::uint16_t{0});
    if (pair) append_addresses(out, *pair);
    append_field(out, Field::alpn, client.alpn);
    append_field(out, Field::authority, client.authority);
    if (client.tls) append_tls(out, *client.tls);
    if (checksum) append_field(out, Field::crc32c, std::string_view{"\0\0\0\0", kChecksumSize});
    put_length(out, length_at);
    if (checksum) put_sum(out, begin);
}

} // namespace sallyport::proxy_protocol
