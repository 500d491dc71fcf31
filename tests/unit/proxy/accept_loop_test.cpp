// Accepting, where the kernel refuses to.
#include "sallyport/proxy/shard.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "../tls/handshake.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "sallyport/tls/remote_key.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace std::chrono_literals;

namespace {

SocketAddress loopback()
{
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return *SocketAddress::from(reinterpret_cast<const sockaddr*>(&any), sizeof any);
}

std::chrono::nanoseconds cpu_time_of(std::thread& thread)
{
    clockid_t clock{};
    REQUIRE(::pthread_getcpuclockid(thread.native_handle(), &clock) == 0);
    timespec used{};
    REQUIRE(::clock_gettime(clock, &used) == 0);
    return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

UniqueFd listening_socket()
{
    return std::move(sys::listen_tcp(loopback(), false).value());
}

UniqueFd duplicate(const UniqueFd& fd)
{
    return UniqueFd{::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)};
}

/// A client that says nothing, and so is served until its handshake takes too long.
UniqueFd silent_client(const UniqueFd& listening)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::getsockname(listening.get(), at, &size) == 0);
    UniqueFd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::connect(client.get(), at, size) == 0);
    return client;
}

/// What is not the same in all tests.
struct Circumstances {
    bool shared{false};
    std::uint32_t connections_max{10};
    std::function<void()> pass_on{};
};

/// A shard with listeners of mode tcp, and what it borrows.
class OneShard {
public:
    explicit OneShard(std::vector<UniqueFd> sockets, Circumstances circumstances = {})
    {
        tls::load_providers();
        const tls::Credentials credentials = tls::test::credentials_for({{tls::test::KeyType::ec256, {"a.test"}}});
        std::vector<proxy::Listener> listeners;
        for (UniqueFd& socket : sockets) {
            auto contexts = tls::ServerContexts::build(tls::test::settings_for(1), credentials);
            REQUIRE(contexts);
            listeners.push_back({.bind = "here",
                                 .fd = std::move(socket),
                                 .shared = circumstances.shared,
                                 .upstream = 0,
                                 .site = nullptr,
                                 .contexts = std::move(*contexts)});
        }
        ipc::Limits limits{.connections_max = circumstances.connections_max,
                           .handshake_ms = 60'000,
                           .connect_ms = 1000,
                           .idle_ms = 1000};
        limits.buffer_bytes_max = 65536;
        proxy::Apps apps{
            .settings = {.upstreams = {{.name = "app", .addresses = {{.address = loopback()}}, .idle_ms = 1}},
                         .names = {},
                         .connect_ms = 1000},
            .names = nullptr};
        shard.emplace(proxy::Shard::Plan{.limits = limits,
                                         .apps = std::move(apps),
                                         .listeners = std::move(listeners),
                                         .access = {},
                                         .pass_on = std::move(circumstances.pass_on)},
                      keys, figures);
    }

    [[nodiscard]] std::uint64_t taken() const { return figures.accepted.read(); }

    std::pair<sys::Channel, sys::Channel> ends{std::move(sys::Channel::pair().value())};
    tls::SignChannel keys{std::move(ends.first)};
    metrics::ShardFigures figures{};
    std::optional<proxy::Shard> shard;
};

/// Somebody waits to be accepted.
bool is_queued(const UniqueFd& listening)
{
    pollfd waits{.fd = listening.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waits, 1, 0) == 1;
}

/// Holds only while nobody else opens anything.
bool is_closed(int number)
{
    return ::fcntl(number, F_GETFD) < 0 && errno == EBADF;
}

template <typename Claim>
bool is_soon(Claim claim)
{
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!claim() && std::chrono::steady_clock::now() < limit)
        std::this_thread::sleep_for(1ms);
    return claim();
}

std::vector<UniqueFd> one(UniqueFd socket)
{
    std::vector<UniqueFd> sockets;
    sockets.push_back(std::move(socket));
    return sockets;
}

} // namespace

TEST_CASE("A listener that was stopped pauses its shard's accepting, and the shard still drains", "[proxy][accept]")
{
    const UniqueFd listening = listening_socket();
    OneShard here{one(duplicate(listening))};
    here.shard->begin();
    std::promise<void> ended;
    std::thread thread{[&] {
        here.shard->run();
        ended.set_value();
    }};

    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    REQUIRE(::connect(listening.get(), &nowhere, sizeof nowhere) == 0);
    const auto before = cpu_time_of(thread);
    std::this_thread::sleep_for(400ms);
    CHECK(cpu_time_of(thread) - before < 100ms); // a loop without a pause would have used all of it

    here.shard->drain({.timeout_ms = 100, .replaced = false});
    CHECK(ended.get_future().wait_for(10s) == std::future_status::ready);
    thread.join();
}

TEST_CASE("A shard that is told to drain before it runs takes whom it finds in the queue, and then ends",
          "[proxy][accept]")
{
    const UniqueFd listening = listening_socket();
    OneShard here{one(duplicate(listening))};
    const UniqueFd client = silent_client(listening);

    here.shard->begin();
    here.shard->drain({.timeout_ms = 100, .replaced = false});
    here.shard->run();

    CHECK(here.taken() == 1);
    CHECK(here.shard->drained().cut == 1); // it has said nothing
}

TEST_CASE("A listener that cannot be watched is told of before anybody serves", "[proxy][accept]")
{
    UniqueFd directory{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    CHECK_THROWS_WITH(OneShard{one(std::move(directory))}, "watching the listener here: Operation not permitted");
}

TEST_CASE("A full shard passes on whom it was told of, and the shared queues of a replaced one end at once",
          "[proxy][accept]")
{
    const UniqueFd first = listening_socket();
    const UniqueFd second = listening_socket();
    std::vector<UniqueFd> sockets = one(duplicate(first));
    sockets.push_back(duplicate(second));
    const std::array numbers{sockets[0].get(), sockets[1].get()};
    std::promise<void> passed_on;
    OneShard here{std::move(sockets),
                  {.shared = true, .connections_max = 1, .pass_on = [&] { passed_on.set_value(); }}};
    here.shard->begin();
    std::promise<void> ended;
    std::thread thread{[&] {
        here.shard->run();
        ended.set_value();
    }};

    // Both queues fill up within one turn, so that it is told of both before it takes the first.
    std::promise<void> held;
    std::promise<void> filled;
    here.shard->call([&] {
        held.set_value();
        filled.get_future().wait();
    });
    held.get_future().wait();
    std::vector<UniqueFd> clients;
    clients.push_back(silent_client(first));
    clients.push_back(silent_client(second));
    filled.set_value();
    CHECK(passed_on.get_future().wait_for(10s) == std::future_status::ready);
    CHECK(here.taken() == 1);

    here.shard->drain({.timeout_ms = 0, .replaced = true});
    for (const int number : numbers)
        CHECK(is_soon([&] { return is_closed(number); }));
    clients.erase(clients.begin() + (is_queued(second) ? 0 : 1)); // the one that is served
    CHECK(ended.get_future().wait_for(10s) == std::future_status::ready);
    thread.join();
    CHECK(here.taken() == 1);
    CHECK(is_queued(first) != is_queued(second));
}

TEST_CASE("Of two shards with one queue the full one is not told of the next client", "[proxy][accept]")
{
    const UniqueFd listening = listening_socket();
    const Circumstances narrow{.shared = true, .connections_max = 1};
    OneShard first{one(duplicate(listening)), narrow};
    OneShard second{one(duplicate(listening)), narrow};
    std::vector<std::thread> threads;
    for (OneShard* here : {&first, &second}) {
        here->shard->begin();
        threads.emplace_back([here] { here->shard->run(); });
    }
    std::vector<UniqueFd> clients;
    for (int places = 2; places > 0; --places) {
        clients.push_back(silent_client(listening));
        CHECK(is_soon([&] { return first.taken() + second.taken() == clients.size(); }));
    }
    clients.push_back(silent_client(listening));
    clients.erase(clients.begin());
    CHECK(is_soon([&] { return first.taken() + second.taken() == 3; })); // in the place of who has left
    clients.clear();
    for (OneShard* here : {&first, &second})
        here->shard->drain({.timeout_ms = 100, .replaced = false});
    for (std::thread& thread : threads)
        thread.join();
}
