#include "sallyport/net/socket.hpp"

#include <array>
#include <cstdlib>
#include <functional>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/net/connect.hpp"
#include "sallyport/net/task.hpp"
#include "support/catch.hpp"

using namespace sallyport;

namespace {

/// An event loop with a connected pair: `near` is ours, `far` is a plain blocking descriptor.
struct Rig {
    net::EventLoop loop;
    net::HoldBudget budget{1 << 20};
    UniqueFd far;
    std::optional<net::Socket> near;

    Rig()
    {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        far = UniqueFd{ends[0]};
        REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
        near.emplace(UniqueFd{ends[1]}, Side::client, loop, budget);
        REQUIRE(near->open());
    }

    /// Runs the story on the loop until it ends.
    void run(std::function<net::Task<void>()> story)
    {
        loop.post([&] { spawn(story); });
        loop.run();
    }

private:
    net::Detached spawn(std::function<net::Task<void>()> story)
    {
        co_await story();
        loop.stop();
    }
};

// Also called by other threads, where Catch must not be used.
void say(const UniqueFd& fd, std::string_view text)
{
    if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

net::Task<void> read_until_end(net::Socket& socket, std::string& into)
{
    std::array<std::byte, 7> buffer;
    for (;;) {
        const auto got = socket.receive(buffer);
        if (!got || got->kind == net::Arrival::Kind::end) co_return;
        if (got->kind == net::Arrival::Kind::bytes)
            into.append(reinterpret_cast<const char*>(buffer.data()), got->size);
        else if (!co_await socket.readable())
            co_return;
    }
}

std::string text_of(const Result<net::Arrival>& got)
{
    if (!got) return "an error";
    if (got->kind == net::Arrival::Kind::bytes) return std::to_string(got->size) + " bytes";
    return got->kind == net::Arrival::Kind::end ? "the end" : "nothing yet";
}

net::Task<void> peek_and_receive(Rig& rig, std::string& seen)
{
    std::array<std::byte, 16> buffer{};
    for (int time = 0; time < 2; ++time) {
        const bool readable = co_await rig.near->readable();
        if (!readable) co_return;
        seen += text_of(rig.near->peek(buffer)) + ", ";
    }
    const auto got = rig.near->receive(std::span{buffer}.first(5));
    seen += std::to_string(got ? got->size : 0) + " received, " + text_of(rig.near->peek(buffer)) + ", ";
    rig.far.reset();
    const bool readable = co_await rig.near->readable();
    if (readable) seen += text_of(rig.near->peek(buffer));
}

} // namespace

TEST_CASE("Everything that was written before the end arrives, whatever the sizes of the reads", "[net]")
{
    const std::size_t size = GENERATE(1U, 6U, 7U, 8U, 14U, 1000U);
    Rig rig;
    const std::string sent(size, 'x');
    say(rig.far, sent);
    rig.far.reset();
    std::string got;
    rig.run([&] { return read_until_end(*rig.near, got); });
    CHECK(got == sent);
}

TEST_CASE("What is peeked at stays to be received, and nothing waits for more", "[net]")
{
    Rig rig;
    say(rig.far, "hello");
    std::string seen;
    rig.run([&] { return peek_and_receive(rig, seen); });
    CHECK(seen == "5 bytes, 5 bytes, 5 received, nothing yet, the end");
}

TEST_CASE("A reader that waits is woken by bytes that come later", "[net]")
{
    Rig rig;
    std::string got;
    std::jthread writer{[&] {
        say(rig.far, "first");
        say(rig.far, "second");
        rig.far.reset();
    }};
    rig.run([&] { return read_until_end(*rig.near, got); });
    CHECK(got == "firstsecond");
}

namespace {

net::Task<void> send_all(net::Socket& socket, std::string_view text, std::promise<bool>& held)
{
    REQUIRE(socket.send(std::as_bytes(std::span{text})));
    held.set_value(socket.holds());
    while (socket.holds()) {
        if (!co_await socket.writable()) co_return;
        REQUIRE(socket.send_held());
    }
    socket.finish_writing();
}

} // namespace

TEST_CASE("What a slow reader does not take is held, sent in order, and given back to the budget", "[net]")
{
    Rig rig;
    std::string text(3'000'000, ' ');
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>('a' + i % 23);
    std::string got;
    std::promise<bool> held;
    std::shared_future<bool> is_held = held.get_future().share();
    std::jthread reader{[&, is_held] {
        is_held.wait();
        std::array<char, 4096> buffer;
        for (ssize_t size = 1; (size = ::read(rig.far.get(), buffer.data(), buffer.size())) > 0;)
            got.append(buffer.data(), static_cast<std::size_t>(size));
    }};
    rig.run([&] { return send_all(*rig.near, text, held); });
    reader.join();
    CHECK(is_held.get());
    CHECK(got == text);
    CHECK_FALSE(rig.budget.exhausted());
}

TEST_CASE("Cancelling wakes a waiting reader with false", "[net]")
{
    Rig rig;
    std::string got;
    class Stop final : public net::Deadline {
    public:
        explicit Stop(net::Socket& socket) : socket_{socket} {}

    private:
        void expired() override
        {
            for (const auto waiter : socket_.cancel()) {
                if (waiter) waiter.resume();
            }
        }
        net::Socket& socket_;
    } stop{*rig.near};
    rig.loop.arm(stop, rig.loop.now() + 30);
    rig.run([&] { return read_until_end(*rig.near, got); });
    CHECK(rig.near->cancelled());
    CHECK(got.empty());
}

TEST_CASE("An exhausted budget says so until the bytes are gone", "[net]")
{
    net::HoldBudget budget{100};
    net::HeldBytes held{budget};
    const std::array<std::byte, 150> bytes{};
    held.append(bytes);
    CHECK(budget.exhausted());
    held.consume(60);
    CHECK(held.bytes().size() == 90);
    held.consume(90);
    CHECK(held.empty());
    CHECK_FALSE(budget.exhausted());
}

namespace {

net::Task<void> connect_into(net::Socket& socket, const SocketAddress& address, net::EventLoop& loop,
                             Result<void>& result)
{
    result = co_await net::connect(socket, address, loop);
}

} // namespace

TEST_CASE("Connecting to a port where nobody listens is refused, by the upstream", "[net]")
{
    net::EventLoop loop;
    net::HoldBudget budget{1};
    UniqueFd bound{::socket(AF_INET, SOCK_STREAM, 0)}; // bound, not listening: nobody else can take the port
    auto address = *SocketAddress::parse("127.0.0.1:1");
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(bound.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    socklen_t size = sizeof any;
    REQUIRE(::getsockname(bound.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0);
    address = *SocketAddress::from(reinterpret_cast<sockaddr*>(&any), size);

    auto fd = net::make_socket(address);
    REQUIRE(fd);
    net::Socket socket{std::move(*fd), Side::upstream, loop, budget};
    Result<void> result;
    const auto story = [&]() -> net::Detached {
        co_await connect_into(socket, address, loop, result);
        loop.stop();
    };
    loop.post([&] { story(); });
    loop.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().fault == Fault::refused);
    CHECK(result.error().side == Side::upstream);
}
