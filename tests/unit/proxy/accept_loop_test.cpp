// Accepting, where the kernel refuses to.
#include "sallyport/proxy/shard.hpp"

#include <chrono>
#include <ctime>
#include <future>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
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

} // namespace

TEST_CASE("A listener that was stopped pauses its shard's accepting, and the shard still drains", "[proxy][accept]")
{
    tls::load_providers();
    const tls::Credentials credentials = tls::test::credentials_for({{tls::test::KeyType::ec256, {"a.test"}}});
    auto contexts = tls::ServerContexts::build(tls::test::settings_for(1), credentials);
    REQUIRE(contexts);
    UniqueFd socket = std::move(sys::listen_tcp(loopback(), false).value());
    const UniqueFd captured{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)};
    const proxy::Upstream app{"app", loopback()};
    std::vector<proxy::Listener> listeners;
    listeners.push_back(
        {.bind = "here", .fd = std::move(socket), .shared = false, .upstream = &app, .contexts = std::move(*contexts)});
    auto ends = std::move(sys::Channel::pair().value());
    tls::SignChannel keys{std::move(ends.first)};
    proxy::Shard shard{
        {.connections_max = 10, .handshake_ms = 1000, .connect_ms = 1000, .idle_ms = 1000, .buffer_bytes_max = 65536},
        std::move(listeners),
        keys};
    std::promise<void> ended;
    std::thread thread{[&] {
        shard.run();
        ended.set_value();
    }};

    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    REQUIRE(::connect(captured.get(), &nowhere, sizeof nowhere) == 0);
    const auto before = cpu_time_of(thread);
    std::this_thread::sleep_for(400ms);
    CHECK(cpu_time_of(thread) - before < 100ms); // a loop without a pause would have used all of it

    shard.drain(100);
    CHECK(ended.get_future().wait_for(10s) == std::future_status::ready);
    thread.join();
}
