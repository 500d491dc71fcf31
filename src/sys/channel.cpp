#include "sallyport/sys/channel.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/time.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::sys {

namespace {

// Room for two messages of the largest kind and their bookkeeping; the kernel clips it to net.core.wmem_max.
constexpr int kSendBufferBytes = 320 * 1024;

using ControlBytes = std::array<std::byte, CMSG_SPACE(kDescriptorsMax * sizeof(int))>;

Fault fault_of(int error)
{
    switch (error) {
    case EAGAIN:
        return Fault::timeout;
    case EMSGSIZE:
    case ETOOMANYREFS:
        return Fault::over_limit;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return Fault::reset;
    default:
        return Fault::internal;
    }
}

std::unexpected<Error> failed(std::string_view doing)
{
    return fail(fault_of(errno), Side::self, doing, last_errno());
}

Result<void> send_bytes(int fd, std::span<const std::byte> message)
{
    while (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) < 0)
        if (errno != EINTR) return failed("sending a message");
    return {};
}

void attach(msghdr& header, ControlBytes& control, std::span<const int> descriptors)
{
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
}

std::vector<UniqueFd> detach(msghdr& header)
{
    std::vector<UniqueFd> descriptors;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd{};
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            descriptors.emplace_back(fd);
        }
    }
    return descriptors;
}

} // namespace

Result<std::pair<Channel, Channel>> Channel::pair()
{
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return fail_errno("making a channel");
    for (const int end : ends) {
        // Best effort: where wmem_max is tiny, a message that does not fit is refused when it is sent.
        static_cast<void>(::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes));
    }
    return std::pair{Channel{UniqueFd{ends[0]}}, Channel{UniqueFd{ends[1]}}};
}

Result<void> Channel::send(std::span<const std::byte> message, std::span<const int> descriptors)
{
    SALLYPORT_ASSERT(!message.empty()); // it would look like the end of the channel
    if (descriptors.size() > kDescriptorsMax) return fail(Fault::over_limit, Side::self, "sending descriptors");
    // Who passes no descriptor can be forbidden to: this is another call.
    if (descriptors.empty()) return send_bytes(fd(), message);
    // sendmsg(2) takes a pointer to mutable bytes and does not change them.
    iovec part{const_cast<std::byte*>(message.data()), message.size()};
    alignas(cmsghdr) ControlBytes control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    attach(header, control, descriptors);
    while (::sendmsg(fd(), &header, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) return failed("sending a message");
    return {};
}

Result<Received> Channel::receive(std::span<std::byte> into)
{
    iovec part{into.data(), into.size()};
    alignas(cmsghdr) ControlBytes control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t size{};
    while ((size = ::recvmsg(fd(), &header, MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR) return failed("receiving a message");
    Received received{static_cast<std::size_t>(size), detach(header)};
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return fail(Fault::over_limit, Side::self, "receiving a message");
    return received;
}

Result<void> Channel::set_timeout(std::chrono::milliseconds limit)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    timeval value{};
    value.tv_sec = seconds.count();
    value.tv_usec = std::chrono::duration_cast<std::chrono::microseconds>(limit - seconds).count();
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
        if (::setsockopt(fd(), SOL_SOCKET, option, &value, sizeof value) != 0)
            return fail_errno("setting a channel's time-out");
    return {};
}

} // namespace sallyport::sys
