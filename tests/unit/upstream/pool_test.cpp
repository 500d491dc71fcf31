// Connections that are kept for the next request.
#include <array>
#include <span>

#include "rig.hpp"

using namespace sallyport;
using namespace sallyport::test;

namespace {

/// A connected pair: ours, and the app's end of it.
struct Pair {
    upstream::AppConnectionPtr ours;
    UniqueFd app;
};

net::Task<Pair> connected(Rig& rig, PlainApp& app)
{
    auto made = co_await rig.connect();
    REQUIRE(made.has_value());
    Pair pair{std::move(*made), app.accept()};
    REQUIRE(pair.app);
    co_return pair;
}

void say(const UniqueFd& app, std::string_view text)
{
    REQUIRE(::write(app.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// The app's end has nothing to read, not even an end.
bool is_open(const UniqueFd& app)
{
    std::byte byte{};
    return ::recv(app.get(), &byte, sizeof byte, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/// Waits for what is on its way already, while the loop stands still.
bool has_come(int fd)
{
    pollfd told{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&told, 1, 10'000) == 1;
}

/// Whether our end is closed: the app's end reads an end of file.
bool is_closed(const UniqueFd& app)
{
    std::byte byte{};
    return has_come(app.get()) && ::recv(app.get(), &byte, sizeof byte, MSG_DONTWAIT) == 0;
}

/// Until the app's end hears something: an end, or a reset. Not for as long as an idle connection is kept.
net::Task<void> end_of(Rig& rig, const UniqueFd& app)
{
    const net::Tick limit = rig.loop.now() + 8'000;
    while (is_open(app) && rig.loop.now() < limit)
        co_await rig.pause(1);
}

/// Looks once so much time has passed: after all that the loop had to do by then, however late it is.
net::Detached look_after(Rig& rig, net::Tick ms, const UniqueFd& app, std::optional<bool>& closed)
{
    net::Sleep sleep{rig.loop, ms};
    co_await sleep;
    closed = is_closed(app);
}

} // namespace

TEST_CASE("The connection that was given back last is taken first, and says that it is reused", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        CHECK(r.app.take_idle() == nullptr);
        Pair first = co_await connected(r, app);
        Pair second = co_await connected(r, app);
        const auto* last = second.ours.get();
        r.app.give_back(std::move(first.ours));
        r.app.give_back(std::move(second.ours));
        const auto taken = r.app.take_idle();
        CHECK(taken.get() == last);
        CHECK(taken->reused());
        CHECK_FALSE(taken->socket().watch().cancelled());
        CHECK(r.app.take_idle() != nullptr);
        CHECK(r.app.take_idle() == nullptr);
        CHECK(is_closed(first.app)); // the one just taken and dropped
    });
}

TEST_CASE("A connection that was read to the last byte of a full buffer is kept", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair pair = co_await connected(r, app);
        say(pair.app, "12345");
        const bool readable = co_await pair.ours->socket().readable();
        CHECK(readable);
        std::array<std::byte, 5> buffer;
        CHECK(pair.ours->socket().receive(buffer)->size == 5); // the socket does not know that nothing is left
        r.app.give_back(std::move(pair.ours));
        CHECK(r.app.take_idle() != nullptr);
    });
}

TEST_CASE("Bytes that are left make a connection unfit", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair pair = co_await connected(r, app);
        say(pair.app, "123456");
        const bool readable = co_await pair.ours->socket().readable();
        CHECK(readable);
        std::array<std::byte, 5> buffer;
        CHECK(pair.ours->socket().receive(buffer)->size == 5);
        r.app.give_back(std::move(pair.ours));
        CHECK(r.app.take_idle() == nullptr);
        CHECK(::recv(pair.app.get(), buffer.data(), 1, MSG_DONTWAIT) <= 0);
    });
}

TEST_CASE("A connection that the app closes while it is idle is freed at once", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair pair = co_await connected(r, app);
        r.app.give_back(std::move(pair.ours));
        ::shutdown(pair.app.get(), SHUT_WR);
        co_await end_of(r, pair.app);
        CHECK(is_closed(pair.app)); // nobody has asked for it
        CHECK(r.app.take_idle() == nullptr);
    });
}

TEST_CASE("A connection on which the app says something unasked is freed at once", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair pair = co_await connected(r, app);
        r.app.give_back(std::move(pair.ours));
        say(pair.app, "HTTP/1.1 408 Request Timeout\r\n\r\n");
        co_await end_of(r, pair.app);
        CHECK_FALSE(is_open(pair.app)); // nobody has asked for it
        CHECK(r.app.take_idle() == nullptr);
    });
}

TEST_CASE("A reset that has come in this very turn is seen before a connection is taken", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair first = co_await connected(r, app);
        Pair second = co_await connected(r, app);
        const int idle = first.ours->socket().fd();
        r.app.give_back(std::move(first.ours));
        // Both in one batch: the second's reader runs, and asks, whichever is told first.
        say(second.app, "x");
        const linger abort{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(first.app.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        first.app.reset();
        CHECK((has_come(idle) && has_come(second.ours->socket().fd())));
        const bool readable = co_await second.ours->socket().readable();
        CHECK(readable);
        CHECK(r.app.take_idle() == nullptr);
    });
}

TEST_CASE("No more than max_idle are kept: the oldest goes", "[upstream][pool]")
{
    PlainApp app;
    ipc::Upstream settings = upstream_of({&app});
    settings.idle_max = 2;
    Rig rig{settings};
    rig.run([&](Rig& r) -> net::Task<void> {
        std::vector<UniqueFd> ends;
        std::vector<upstream::AppConnectionPtr> all;
        for (int i = 0; i < 3; ++i) {
            Pair pair = co_await connected(r, app);
            ends.push_back(std::move(pair.app));
            all.push_back(std::move(pair.ours));
        }
        for (auto& one : all)
            r.app.give_back(std::move(one));
        CHECK(is_closed(ends[0]));
        CHECK(is_open(ends[1]));
        CHECK(is_open(ends[2]));
    });
}

TEST_CASE("An idle connection is closed at its deadline, which an app's announcement shortens and never lengthens",
          "[upstream][pool]")
{
    PlainApp app;
    ipc::Upstream settings = upstream_of({&app});
    settings.idle_ms = 3000; // far from the 800 that are announced: a busy machine sees them apart, too
    Rig rig{settings};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair plain = co_await connected(r, app);
        Pair announced = co_await connected(r, app);
        Pair patient = co_await connected(r, app);
        Pair closing = co_await connected(r, app);
        const net::Tick begun = r.loop.now();
        r.app.give_back(std::move(plain.ours));
        r.app.give_back(std::move(announced.ours), 1); // 80 % of a second
        r.app.give_back(std::move(patient.ours), 3600);
        r.app.give_back(std::move(closing.ours), 0);
        std::optional<bool> closed_soon;
        std::optional<bool> closed_late;
        look_after(r, 900, announced.app, closed_soon);
        look_after(r, 3100, patient.app, closed_late);
        co_await end_of(r, closing.app);
        CHECK(is_open(plain.app));
        co_await end_of(r, announced.app);
        CHECK(r.loop.now() >= begun + 800);
        CHECK(is_open(plain.app));
        co_await end_of(r, plain.app);
        CHECK(r.loop.now() >= begun + 3000);
        while (!closed_late)
            co_await r.pause(1);
        CHECK((closed_soon && *closed_soon));
        CHECK(*closed_late);
        CHECK(is_closed(plain.app));
    });
}

TEST_CASE("What is idle is closed once the shard drains, and nothing is kept from then on", "[upstream][pool]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair first = co_await connected(r, app);
        Pair second = co_await connected(r, app);
        Pair third = co_await connected(r, app);
        r.app.give_back(std::move(first.ours));
        r.app.give_back(std::move(second.ours));
        r.app.keep_no_more();
        CHECK(is_closed(first.app));
        CHECK(is_closed(second.app));
        r.app.give_back(std::move(third.ours));
        CHECK(is_closed(third.app));
    });
}
