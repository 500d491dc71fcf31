// A socket address as a value: IPv4, IPv6 or Unix; parsed from and printed as text.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace sallyport {

class SocketAddress {
public:
    /// "10.0.0.1:443", "[::1]:443", "unix:/run/app.sock", "unix:@abstract". No names are resolved; the port is
    /// required. A Unix path is at most 107 bytes (unix(7)).
    [[nodiscard]] static std::optional<SocketAddress> parse(std::string_view text);

    /// The bytes of a sockaddr as the kernel gave them. Empty if the family is none of the three or the size is wrong.
    [[nodiscard]] static std::optional<SocketAddress> from_bytes(std::span<const std::byte> bytes);
    [[nodiscard]] static std::optional<SocketAddress> from(const sockaddr* address, socklen_t size);

    [[nodiscard]] int family() const { return storage_.ss_family; }
    [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
    /// 127.0.0.0/8 or ::1.
    [[nodiscard]] bool is_loopback() const;
    /// 0.0.0.0 or ::, whatever the port is.
    [[nodiscard]] bool is_any() const;
    /// The same address with this port; a Unix socket as it is.
    [[nodiscard]] SocketAddress with_port(std::uint16_t port) const;
    /// 0 for a Unix socket.
    [[nodiscard]] std::uint16_t port() const;
    /// Empty unless it is a Unix socket in the file system.
    [[nodiscard]] std::string unix_path() const;
    /// As `parse` takes it. An IPv4-mapped IPv6 address is printed as IPv4.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] const sockaddr* data() const;
    [[nodiscard]] socklen_t size() const { return size_; }
    [[nodiscard]] std::span<const std::byte> bytes() const;

    friend bool operator==(const SocketAddress& a, const SocketAddress& b);

private:
    sockaddr_storage storage_{};
    socklen_t size_{0};
};

} // namespace sallyport
