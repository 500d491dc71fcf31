#include "sallyport/net/connect.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "sallyport/base/socket_options.hpp"

namespace sallyport::net {

namespace {

constexpr std::string_view kConnecting = "connecting to the app";
constexpr Tick kUnixRetry = 16;

Result<void> pending_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error == 0) return {};
    return fail(fault_of(error), Side::upstream, kConnecting, {error, std::system_category()});
}

// Registered only now: epoll reports a socket that has not begun to connect as hung up.
Task<Result<void>> finish_connecting(Socket& socket)
{
    socket.watch().clear_writable();
    if (const auto opened = socket.open(); !opened) co_return opened;
    const bool writable = co_await socket.writable();
    if (!writable) co_return fail(Fault::aborted, Side::self, kConnecting);
    co_return pending_error(socket.fd());
}

} // namespace

Result<UniqueFd> make_socket(const SocketAddress& address)
{
    UniqueFd fd{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return fail(fault_of(errno), Side::self, "making a socket for the app", last_errno());
    if (address.is_unix()) return fd;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!address.is_loopback()) set_keep_alive(fd.get()); // this host does not vanish without a reset
    return fd;
}

Task<Result<void>> connect(Socket& socket, const SocketAddress& address, EventLoop& loop)
{
    while (::connect(socket.fd(), address.data(), address.size()) != 0) {
        if (errno == EINPROGRESS) co_return co_await finish_connecting(socket);
        if (errno != EAGAIN) co_return fail(fault_of(errno), Side::upstream, kConnecting, last_errno());
        Sleep pause{loop, kUnixRetry};
        co_await pause;
        if (socket.cancelled()) co_return fail(Fault::aborted, Side::self, kConnecting);
    }
    co_return socket.open();
}

} // namespace sallyport::net
