// An event loop with an upstream, and apps that are plain listening sockets.
#pragma once

#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/net/task.hpp"
#include "sallyport/upstream/upstream.hpp"
#include "support/catch.hpp"

namespace sallyport::test {

/// Listens on a port of its own on 127.0.0.1, or nowhere: then its port refuses.
class PlainApp {
public:
    explicit PlainApp(int backlog = 64) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)}
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        sockaddr_storage bound{};
        socklen_t size = sizeof bound;
        REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
        address_ = SocketAddress::from(reinterpret_cast<const sockaddr*>(&bound), size).value();
        if (backlog >= 0) listen(backlog);
    }

    static PlainApp refusing() { return PlainApp{-1}; }
    void listen(int backlog = 64) { REQUIRE(::listen(fd_.get(), backlog) == 0); }
    [[nodiscard]] const SocketAddress& address() const { return address_; }
    /// The app's end of the next connection: our end may know a moment earlier that it is there.
    [[nodiscard]] UniqueFd accept()
    {
        pollfd comes{.fd = fd_.get(), .events = POLLIN, .revents = 0};
        ::poll(&comes, 1, 10'000);
        return take();
    }
    [[nodiscard]] int count()
    {
        int arrived = 0;
        for (UniqueFd one = take(); one; one = take())
            ++arrived;
        return arrived;
    }

private:
    [[nodiscard]] UniqueFd take() { return UniqueFd{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)}; }

    UniqueFd fd_;
    SocketAddress address_;
};

inline ipc::Upstream upstream_of(const std::vector<const PlainApp*>& apps)
{
    ipc::Upstream settings{.name = "app", .idle_ms = 10'000, .idle_max = 4, .skip_refused_ms = 10'000};
    for (const PlainApp* app : apps)
        settings.addresses.push_back({.address = app->address()});
    return settings;
}

struct Rig {
    net::EventLoop loop;
    net::HoldBudget budget{1 << 20};
    upstream::Upstream app;

    explicit Rig(const ipc::Upstream& settings, std::uint32_t connect_ms = 3000)
        : app{settings, connect_ms, 0, loop, budget}
    {
    }

    /// Runs the story on the loop until it ends.
    void run(std::function<net::Task<void>(Rig&)> story)
    {
        loop.post([&] { spawn(story); });
        loop.run();
    }

    /// A new connection, or what kept it.
    net::Task<Result<upstream::AppConnectionPtr>> connect()
    {
        upstream::Attempt attempt;
        Result<upstream::AppConnectionPtr> connected = co_await app.connect(attempt);
        co_return std::move(connected);
    }

    /// Lets the loop see what has happened.
    net::Task<void> pause(net::Tick ms)
    {
        net::Sleep sleep{loop, ms};
        co_await sleep;
    }

private:
    net::Detached spawn(std::function<net::Task<void>(Rig&)> story)
    {
        co_await story(*this);
        loop.stop();
    }
};

} // namespace sallyport::test
