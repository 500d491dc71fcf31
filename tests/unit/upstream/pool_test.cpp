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

/// Whether our end is closed: the app's end reads an end of file at once.
bool is_closed(const UniqueFd& app)
{
    std::byte byte{};
    return ::recv(app.get(), &byte, sizeof byte, MSG_DONTWAIT) == 0;
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
        co_await r.pause(20);
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
        co_await r.pause(20);
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
        r.app.give_back(std::move(first.ours));
        // Both in one batch: the second's reader runs, and asks, whichever is told first.
        say(second.app, "x");
        const linger abort{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(first.app.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        first.app.reset();
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
        CHECK_FALSE(is_closed(ends[1]));
        CHECK_FALSE(is_closed(ends[2]));
    });
}

TEST_CASE("An idle connection is closed at its deadline, which an app's announcement shortens and never lengthens",
          "[upstream][pool]")
{
    PlainApp app;
    ipc::Upstream settings = upstream_of({&app});
    settings.idle_ms = 1500;
    Rig rig{settings};
    rig.run([&](Rig& r) -> net::Task<void> {
        Pair plain = co_await connected(r, app);
        Pair announced = co_await connected(r, app);
        Pair patient = co_await connected(r, app);
        Pair closing = co_await connected(r, app);
        r.app.give_back(std::move(plain.ours));
        r.app.give_back(std::move(announced.ours), 1); // 80 % of a second
        r.app.give_back(std::move(patient.ours), 3600);
        r.app.give_back(std::move(closing.ours), 0);
        co_await r.pause(100);
        CHECK(is_closed(closing.app));
        co_await r.pause(500);
        CHECK_FALSE(is_closed(announced.app));
        co_await r.pause(350);
        CHECK(is_closed(announced.app));
        CHECK_FALSE(is_closed(plain.app));
        co_await r.pause(700);
        CHECK(is_closed(plain.app));
        CHECK(is_closed(patient.app));
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
