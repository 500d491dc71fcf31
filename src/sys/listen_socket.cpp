#include "sallyport/sys/listen_socket.hpp"

#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sallyport/base/socket_options.hpp"

namespace sallyport::sys {

namespace {

constexpr std::string_view kListening = "binding a listening socket";

std::unexpected<Error> refused_with(int error)
{
    const Fault fault = error == EACCES || error == EPERM ? Fault::forbidden : Fault::internal;
    return fail(fault, Side::self, kListening, {error, std::system_category()});
}

UniqueFd stream_socket(int family)
{
    return UniqueFd{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

bool switch_option(int socket, int level, int option, bool on)
{
    const int value = on ? 1 : 0;
    return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool bind_to(const UniqueFd& socket, const SocketAddress& address)
{
    return ::bind(socket.get(), address.data(), address.size()) == 0;
}

enum class Ipv6Scope : bool { dual_stack, ipv6_only };

Result<UniqueFd> listen_inet(const SocketAddress& address, bool reuse_port, Ipv6Scope scope, Listens listens)
{
    UniqueFd socket = stream_socket(address.family());
    // SO_REUSEADDR: connections of our predecessor in TIME_WAIT do not hold the port.
    const bool ready = socket && switch_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, true) &&
                       (!reuse_port || switch_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, true)) &&
                       (address.family() != AF_INET6 ||
                        switch_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, scope == Ipv6Scope::ipv6_only)) &&
                       bind_to(socket, address);
    if (!ready) return refused_with(errno);
    set_accepted_options(socket.get());
    if (listens == Listens::now && ::listen(socket.get(), kBacklog) != 0) return refused_with(errno);
    return socket;
}

SocketAddress any_ipv6(std::uint16_t port)
{
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_any;
    any.sin6_port = htons(port);
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&any), sizeof any).value_or(SocketAddress{});
}

SocketAddress any_ipv4(std::uint16_t port)
{
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons(port);
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&any), sizeof any).value_or(SocketAddress{});
}

/// Compiled out, disabled by ipv6.disable=1, or without an address by sysctl.
bool ipv6_is_absent(const Error& error)
{
    return error.cause.value() == EAFNOSUPPORT || error.cause.value() == EADDRNOTAVAIL;
}

bool is_socket_file(const std::string& path)
{
    struct stat file{};
    return ::lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

/// A socket file whose listener is gone refuses every connection.
bool is_stale(const SocketAddress& address)
{
    if (!is_socket_file(address.unix_path())) return false;
    const UniqueFd probe = stream_socket(AF_UNIX);
    return probe && ::connect(probe.get(), address.data(), address.size()) != 0 && errno == ECONNREFUSED;
}

bool bind_over_stale_file(const UniqueFd& socket, const SocketAddress& address)
{
    if (bind_to(socket, address)) return true;
    if (errno != EADDRINUSE) return false;
    if (!is_stale(address) || ::unlink(address.unix_path().c_str()) != 0) {
        errno = EADDRINUSE;
        return false;
    }
    return bind_to(socket, address);
}

bool set_nonblocking(int fd)
{
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

} // namespace

Result<UniqueFd> listen_tcp(const SocketAddress& address, bool reuse_port, Listens listens)
{
    return listen_inet(address, reuse_port, Ipv6Scope::ipv6_only, listens);
}

Result<UniqueFd> listen_any(std::uint16_t port, bool reuse_port, Listens listens)
{
    Result<UniqueFd> socket = listen_inet(any_ipv6(port), reuse_port, Ipv6Scope::dual_stack, listens);
    if (!socket && ipv6_is_absent(socket.error()))
        return listen_inet(any_ipv4(port), reuse_port, Ipv6Scope::ipv6_only, listens);
    return socket;
}

Result<void> share_port(int fd)
{
    if (!switch_option(fd, SOL_SOCKET, SO_REUSEPORT, true)) return fail_errno("sharing a port");
    return {};
}

Result<UniqueFd> listen_unix(const SocketAddress& address, mode_t mode)
{
    UniqueFd socket = stream_socket(AF_UNIX);
    if (!socket || !bind_over_stale_file(socket, address)) return refused_with(errno);
    const std::string path = address.unix_path();
    // Nobody can connect before listen(2), so the permissions are in force in time.
    if ((!path.empty() && ::chmod(path.c_str(), mode) != 0) || ::listen(socket.get(), kBacklog) != 0)
        return refused_with(errno);
    return socket;
}

Result<bool> is_listening(int fd)
{
    int listening{};
    int type{};
    socklen_t size = sizeof listening;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
        ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        return fail(Fault::malformed, Side::self, "asking a listening socket", last_errno());
    return listening == 1 && type == SOCK_STREAM;
}

Result<UniqueFd> adopt_listening(int fd)
{
    const auto listening = is_listening(fd);
    if (!listening) return std::unexpected{listening.error()};
    if (!*listening) return fail(Fault::malformed, Side::self, "adopting a socket that does not listen");
    UniqueFd own{::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
    if (!own || !set_nonblocking(fd)) return fail_errno("adopting an inherited socket");
    set_accepted_options(fd);
    return own;
}

Result<bool> keep_listening(int fd)
{
    const auto listens = is_listening(fd);
    if (!listens) return std::unexpected{listens.error()};
    if (*listens) return false;
    if (::listen(fd, kBacklog) != 0) return fail_errno("listening again");
    return true;
}

Result<SocketAddress> local_address(int fd)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd, address, &size) != 0) return fail_errno("asking a socket's address");
    const auto known = SocketAddress::from(address, size);
    if (!known) return fail(Fault::malformed, Side::self, "asking a socket's address");
    return *known;
}

Result<void> remove_socket_file(const SocketAddress& address)
{
    const std::string path = address.unix_path();
    if (path.empty() || !is_socket_file(path)) return {};
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("removing a socket file");
    return {};
}

} // namespace sallyport::sys
