#include "sallyport/base/socket_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace sallyport {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

std::optional<SocketAddress> parse_unix(std::string_view path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, path.data(), path.size());
    std::size_t size = offsetof(sockaddr_un, sun_path) + path.size();
    if (path.front() == '@')
        address.sun_path[0] = '\0';
    else
        ++size;
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
}

std::optional<SocketAddress> parse_ipv4(const std::string& host, std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::optional<SocketAddress> parse_ipv6(const std::string& host, std::uint16_t port)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::string unix_text(const sockaddr_un& address, socklen_t size)
{
    const std::size_t length = size - offsetof(sockaddr_un, sun_path);
    if (length == 0) return "unix:";
    std::string path{address.sun_path, length};
    if (path.front() == '\0')
        path.front() = '@';
    else
        path.resize(std::min(path.find('\0'), path.size()));
    return std::string{kUnixPrefix} + path;
}

std::string ipv6_text(const sockaddr_in6& address)
{
    std::array<char, INET6_ADDRSTRLEN> host{};
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
        inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], host.data(), host.size());
        return std::string{host.data()} + ":" + std::to_string(ntohs(address.sin6_port));
    }
    inet_ntop(AF_INET6, &address.sin6_addr, host.data(), host.size());
    return "[" + std::string{host.data()} + "]:" + std::to_string(ntohs(address.sin6_port));
}

std::string ipv4_text(const sockaddr_in& address)
{
    std::array<char, INET_ADDRSTRLEN> host{};
    inet_ntop(AF_INET, &address.sin_addr, host.data(), host.size());
    return std::string{host.data()} + ":" + std::to_string(ntohs(address.sin_port));
}

bool size_fits(int family, std::size_t size)
{
    switch (family) {
    case AF_INET:
        return size == sizeof(sockaddr_in);
    case AF_INET6:
        return size == sizeof(sockaddr_in6);
    case AF_UNIX:
        return size >= offsetof(sockaddr_un, sun_path) && size <= sizeof(sockaddr_un);
    default:
        return false;
    }
}

} // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view text)
{
    if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
        return parse_ipv6(std::string{host.substr(1, host.size() - 2)}, *port);
    return parse_ipv4(std::string{host}, *port);
}

std::optional<SocketAddress> SocketAddress::from_bytes(std::span<const std::byte> bytes)
{
    sockaddr_storage storage{};
    if (bytes.size() < sizeof(sa_family_t) || bytes.size() > sizeof storage) return std::nullopt;
    std::memcpy(&storage, bytes.data(), bytes.size());
    return from(reinterpret_cast<const sockaddr*>(&storage), static_cast<socklen_t>(bytes.size()));
}

std::optional<SocketAddress> SocketAddress::from(const sockaddr* address, socklen_t size)
{
    if (size > sizeof(sockaddr_storage) || !size_fits(address->sa_family, size)) return std::nullopt;
    SocketAddress result;
    std::memcpy(&result.storage_, address, size);
    result.size_ = size;
    return result;
}

bool SocketAddress::is_any() const
{
    if (family() == AF_INET) return reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr == INADDR_ANY;
    return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr);
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const
{
    SocketAddress other = *this;
    if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(other.storage_).sin_port = htons(port);
    if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(other.storage_).sin6_port = htons(port);
    return other;
}

std::uint16_t SocketAddress::port() const
{
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
    return 0;
}

bool SocketAddress::is_loopback() const
{
    if (family() == AF_INET)
        return ntohl(reinterpret_cast<const sockaddr_in&>(storage_).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr);
}

std::string SocketAddress::unix_path() const
{
    if (!is_unix()) return {};
    const std::string printed = text().substr(kUnixPrefix.size());
    return printed.starts_with('@') ? std::string{} : printed;
}

std::string SocketAddress::text() const
{
    switch (family()) {
    case AF_UNIX:
        return unix_text(reinterpret_cast<const sockaddr_un&>(storage_), size_);
    case AF_INET6:
        return ipv6_text(reinterpret_cast<const sockaddr_in6&>(storage_));
    default:
        return ipv4_text(reinterpret_cast<const sockaddr_in&>(storage_));
    }
}

const sockaddr* SocketAddress::data() const
{
    return reinterpret_cast<const sockaddr*>(&storage_);
}

std::span<const std::byte> SocketAddress::bytes() const
{
    return {reinterpret_cast<const std::byte*>(&storage_), size_};
}

bool operator==(const SocketAddress& a, const SocketAddress& b)
{
    return std::ranges::equal(a.bytes(), b.bytes());
}

} // namespace sallyport
