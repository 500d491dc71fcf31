#include "sockets.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace bench {

namespace {

constexpr int kBacklog = 4096;
constexpr int kOn = 1;

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Fd tcp_socket()
{
    Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (fd.number() < 0) fail("socket");
    ::setsockopt(fd.number(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
    return fd;
}

} // namespace

void fail(const char* what)
{
    std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

void pin_to(int core)
{
    if (core < 0) return;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(core), &cores);
    if (::sched_setaffinity(0, sizeof cores, &cores) != 0) fail("sched_setaffinity");
}

void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
}

Fd listen_on(std::uint16_t port)
{
    Fd fd = tcp_socket();
    ::setsockopt(fd.number(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
    const sockaddr_in address = loopback(port);
    if (::bind(fd.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (::listen(fd.number(), kBacklog) != 0) fail("listen");
    return fd;
}

Fd accept_from(const Fd& listener)
{
    return Fd{::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
}

Fd connect_to(std::uint16_t port)
{
    Fd fd = tcp_socket();
    const sockaddr_in address = loopback(port);
    const int refused = ::connect(fd.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (refused != 0 && errno != EINPROGRESS) return Fd{};
    return fd;
}

Epoll::Epoll() : epoll_{::epoll_create1(EPOLL_CLOEXEC)}
{
    if (epoll_.number() < 0) fail("epoll_create1");
}

void Epoll::add(const Fd& fd, void* owner)
{
    add(fd, owner, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void Epoll::add_listener(const Fd& fd, void* owner)
{
    add(fd, owner, EPOLLIN);
}

void Epoll::add(const Fd& fd, void* owner, std::uint32_t events)
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = owner;
    if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, fd.number(), &event) != 0) fail("epoll_ctl");
}

std::span<const epoll_event> Epoll::wait(std::chrono::nanoseconds timeout)
{
    constexpr auto kSecond = std::chrono::nanoseconds{std::chrono::seconds{1}}.count();
    const timespec limit{timeout.count() / kSecond, timeout.count() % kSecond};
    const int count = timeout.count() < 0 ? ::epoll_wait(epoll_.number(), events_.data(), kBatch, -1)
                                          : ::epoll_pwait2(epoll_.number(), events_.data(), kBatch, &limit, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    return {events_.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

} // namespace bench
