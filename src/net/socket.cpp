#include "sallyport/net/socket.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace sallyport::net {

Socket::Socket(UniqueFd fd, Side side, EventLoop& loop, HoldBudget& budget)
    : fd_{std::move(fd)}, loop_{loop}, held_{budget}, side_{side}
{
}

Result<void> Socket::open()
{
    return loop_.poller().watch_stream(fd_.get(), watch_);
}

Result<Arrival> Socket::receive(std::span<std::byte> into)
{
    const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), 0);
    if (got > 0) {
        const auto size = static_cast<std::size_t>(got);
        // A short read has emptied the socket: the next bytes come with an edge of their own, and the call that would
        // answer EAGAIN is saved. Not once the peer has finished: its FIN came with an edge that is already gone.
        if (size < into.size() && !watch_.peer_finished()) watch_.clear_readable();
        return Arrival{Arrival::Kind::bytes, size};
    }
    return arrival_of_nothing(got);
}

Result<Arrival> Socket::peek(std::span<std::byte> into)
{
    const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), MSG_PEEK);
    if (got > 0) return Arrival{Arrival::Kind::bytes, static_cast<std::size_t>(got)};
    return arrival_of_nothing(got);
}

Result<Arrival> Socket::arrival_of_nothing(ssize_t got)
{
    if (got == 0) return Arrival{Arrival::Kind::end};
    if (errno == EAGAIN || errno == EINTR) {
        if (errno == EAGAIN) watch_.clear_readable();
        return Arrival{Arrival::Kind::nothing_yet};
    }
    return fail(fault_of(errno), side_, "receiving", last_errno());
}

Result<std::size_t> Socket::send_some(std::span<const std::byte> bytes, Next next)
{
    // Not send(2) where write(2) will do: its flags could connect a new socket (MSG_FASTOPEN), which Landlock does not
    // see, so the worker's filter looks at them, and that takes time. SIGPIPE is ignored.
    const ssize_t sent = next == Next::soon ? ::send(fd_.get(), bytes.data(), bytes.size(), MSG_MORE)
                                            : ::write(fd_.get(), bytes.data(), bytes.size());
    if (sent >= 0) {
        if (static_cast<std::size_t>(sent) < bytes.size()) watch_.clear_writable();
        return static_cast<std::size_t>(sent);
    }
    if (errno == EAGAIN) watch_.clear_writable();
    if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
    return fail(fault_of(errno), side_, "sending", last_errno());
}

Result<void> Socket::send(std::span<const std::byte> bytes, Next next)
{
    std::size_t sent = 0;
    if (held_.empty()) {
        const auto now = send_some(bytes, next);
        if (!now) return std::unexpected{now.error()};
        sent = *now;
    }
    held_.append(bytes.subspan(sent));
    return {};
}

Result<void> Socket::send_held()
{
    if (held_.empty()) return {};
    const auto sent = send_some(held_.bytes(), Next::unknown);
    if (!sent) return std::unexpected{sent.error()};
    held_.consume(*sent);
    return {};
}

void Socket::finish_writing()
{
    ::shutdown(fd_.get(), SHUT_WR);
}

void Socket::reset_on_close()
{
    const linger abort{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

Fault fault_of(int error)
{
    switch (error) {
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
        return Fault::reset;
    case ECONNREFUSED:
    case ENOENT:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return Fault::refused;
    case ETIMEDOUT:
        return Fault::timeout;
    case EACCES:
    case EPERM:
        return Fault::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return Fault::over_limit;
    default:
        return Fault::internal;
    }
}

} // namespace sallyport::net
