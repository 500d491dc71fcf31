// Addresses are taken in turn, and those that fail are passed over.
#include <chrono>
#include <map>

#include <sys/un.h>

#include "rig.hpp"
#include "upstream/pool.hpp"
#include "upstream/targets.hpp"

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

std::string reached(const Result<upstream::AppConnectionPtr>& connected)
{
    return connected ? (*connected)->address().text() : std::string{name(connected.error().fault)};
}

/// Where so many connections lead to.
net::Task<void> connect_often(Rig& rig, int times, std::vector<std::string>& into)
{
    for (int i = 0; i < times; ++i) {
        const auto connected = co_await rig.connect();
        into.push_back(reached(connected));
    }
}

std::vector<std::string> places(Rig& rig, int times)
{
    std::vector<std::string> found;
    rig.run([&](Rig& r) { return connect_often(r, times, found); });
    return found;
}

} // namespace

TEST_CASE("The addresses of a list are taken in turn", "[upstream]")
{
    PlainApp a;
    PlainApp b;
    PlainApp c;
    Rig rig{upstream_of({&a, &b, &c})};
    const std::vector<std::string> in_turn{a.address().text(), b.address().text(), c.address().text()};
    CHECK(places(rig, 3) == in_turn);
}

TEST_CASE("A new connection is not a reused one, and its error names the app", "[upstream]")
{
    PlainApp a;
    Rig rig{upstream_of({&a})};
    rig.run([](Rig& r) -> net::Task<void> {
        const auto connected = co_await r.connect();
        CHECK(connected.has_value());
        CHECK_FALSE((*connected)->reused());
    });
}

TEST_CASE("An address that refuses is passed over at once and for a while, and its share goes to all others",
          "[upstream]")
{
    PlainApp a;
    PlainApp refusing = PlainApp::refusing();
    PlainApp b;
    Rig rig{upstream_of({&a, &refusing, &b})};
    const std::string at_a = a.address().text();
    const std::string at_b = b.address().text();
    std::vector<std::string> found;
    rig.run([&](Rig& r) -> net::Task<void> {
        co_await connect_often(r, 4, found);
        refusing.listen(); // it is not asked before its time
        co_await connect_often(r, 2, found);
    });
    CHECK(found == std::vector{at_a, at_b, at_a, at_b, at_a, at_b});
    CHECK(refusing.count() == 0);
}

TEST_CASE("An address that refused has its turn again after its pause", "[upstream]")
{
    PlainApp a;
    PlainApp late = PlainApp::refusing();
    ipc::Upstream settings = upstream_of({&late, &a});
    settings.skip_refused_ms = 50;
    Rig rig{settings};
    std::vector<std::string> found;
    rig.run([&](Rig& r) -> net::Task<void> {
        co_await connect_often(r, 1, found);
        late.listen();
        co_await r.pause(100);
        co_await connect_often(r, 1, found);
    });
    CHECK(found == std::vector{a.address().text(), late.address().text()});
}

TEST_CASE("When all addresses are passed over they are tried all the same", "[upstream]")
{
    PlainApp a = PlainApp::refusing();
    PlainApp b = PlainApp::refusing();
    Rig rig{upstream_of({&a, &b})};
    std::vector<std::string> found;
    rig.run([&](Rig& r) -> net::Task<void> {
        co_await connect_often(r, 2, found);
        b.listen();
        co_await connect_often(r, 1, found);
    });
    CHECK(found == std::vector<std::string>{"refused", "refused", b.address().text()});
}

TEST_CASE("A Unix socket may stand in a list, and one that is not there is passed over", "[upstream]")
{
    PlainApp a;
    ipc::Upstream settings = upstream_of({&a});
    settings.addresses.insert(settings.addresses.begin(),
                              {.address = SocketAddress::parse("unix:/nonexistent/app.sock").value()});
    Rig rig{settings};
    CHECK(places(rig, 2) == std::vector{a.address().text(), a.address().text()});
}

namespace {

/// An abstract Unix socket whose queue is full: who connects waits.
struct FullApp {
    SocketAddress address{SocketAddress::parse("unix:@sallyport-full-" + std::to_string(::getpid())).value()};
    UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    UniqueFd first{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    FullApp()
    {
        REQUIRE(::bind(listener.get(), address.data(), address.size()) == 0);
        REQUIRE(::listen(listener.get(), 0) == 0);
        REQUIRE(::connect(first.get(), address.data(), address.size()) == 0);
    }
};

} // namespace

TEST_CASE("One of several addresses that does not answer has its share of the time, and is passed over then",
          "[upstream]")
{
    const FullApp full;
    PlainApp a;
    ipc::Upstream settings = upstream_of({&a});
    settings.addresses.insert(settings.addresses.begin(), {.address = full.address});
    Rig rig{settings, 600};
    const auto before = std::chrono::steady_clock::now();
    CHECK(places(rig, 2) == std::vector{a.address().text(), a.address().text()});
    const auto took = std::chrono::steady_clock::now() - before;
    CHECK(took >= 290ms);
    CHECK(took < 2s);
}

namespace {

net::Detached cancel_soon(Rig& rig, upstream::Attempt& attempt)
{
    net::Sleep sleep{rig.loop, 40};
    co_await sleep;
    for (const std::coroutine_handle<> waiter : attempt.cancel())
        if (waiter) waiter.resume();
}

} // namespace

TEST_CASE("An attempt that is cancelled ends, and tries nothing more", "[upstream]")
{
    const FullApp full;
    PlainApp a;
    ipc::Upstream settings = upstream_of({&a});
    settings.addresses.insert(settings.addresses.begin(), {.address = full.address});
    Rig rig{settings};
    rig.run([](Rig& r) -> net::Task<void> {
        upstream::Attempt attempt;
        cancel_soon(r, attempt);
        const auto connected = co_await r.app.connect(attempt);
        CHECK(reached(connected) == "aborted");
    });
    CHECK(a.count() == 0);
}

namespace {

/// Addresses that a test plays the name servers for.
struct Named {
    net::EventLoop loop;
    upstream::Pool pool{1000, 4, loop};
    upstream::Targets targets{{.name = "app",
                               .addresses = {{.host = "a.test", .port = 80}, {.host = "b.test", .port = 80}},
                               .idle_ms = 1,
                               .idle_max = 1,
                               .skip_refused_ms = 1000},
                              0,
                              loop,
                              pool};

    std::vector<std::string> turn()
    {
        upstream::Targets::Turn turn{targets};
        std::vector<std::string> order;
        for (const upstream::Target* target = turn.next(); target != nullptr; target = turn.next())
            order.push_back(target->address.text());
        return order;
    }
    void answer(std::size_t entry, const std::vector<std::string>& texts)
    {
        std::vector<SocketAddress> addresses;
        for (const std::string& text : texts)
            addresses.push_back(SocketAddress::parse(text).value());
        targets.answered(entry, addresses);
    }
};

} // namespace

TEST_CASE("What names answer is one list, each address once a turn; the newest answer replaces the one before",
          "[upstream][dns]")
{
    Named named;
    CHECK(named.turn().empty());
    named.answer(0, {"10.0.0.1:80", "[fd00::1]:80", "10.0.0.1:80"});
    CHECK(named.turn() == std::vector<std::string>{"10.0.0.1:80", "[fd00::1]:80"});
    named.answer(1, {"10.0.0.9:80"});
    CHECK(named.turn().size() == 3);
    named.answer(0, {"10.0.0.2:80"});
    CHECK(named.targets.size() == 2);
}

TEST_CASE("An address that stays in an answer stays passed over; one that has gone is marked", "[upstream][dns]")
{
    Named named;
    named.answer(0, {"10.0.0.1:80", "10.0.0.2:80"});
    upstream::Targets::Turn turn{named.targets};
    upstream::Target& first = *turn.next();
    upstream::hold(first);
    named.targets.note_failure(first, {Fault::refused, Side::upstream, "testing"});
    named.answer(0, {"10.0.0.3:80", "10.0.0.1:80"});
    CHECK_FALSE(first.gone);
    CHECK(named.turn() == std::vector<std::string>{"10.0.0.3:80", "10.0.0.1:80"}); // passed over: the last
    named.answer(0, {"10.0.0.3:80"});
    CHECK(first.gone);
    upstream::release(first);
}
