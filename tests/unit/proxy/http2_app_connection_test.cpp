// The h2c connections of a shard to an app, at their ends.
#include "proxy/http2_apps.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "../upstream/rig.hpp"
#include "proxy/http2_app.hpp"
#include "support/catch.hpp"
#include "support/http2_frames.hpp"

using namespace sallyport;
using namespace sallyport::test;

namespace {

/// A shard's share of an app that says nothing, and the rig that they run in.
struct Share {
    explicit Share(Rig& in) : rig{in}, apps{{in.loop, scratch, in.budget, streams, {}, in.app}} {}

    Rig& rig;
    metrics::Traffic traffic{};
    tls::Scratch scratch{traffic};
    http2::StreamPool<http2::ClientStream> streams;
    proxy::Http2Apps apps;
};

/// One of its connections, and the app's end.
struct Connected {
    proxy::Http2AppConnection* near;
    UniqueFd far;

    /// We have closed it.
    [[nodiscard]] bool closed() const
    {
        std::array<char, 4096> said;
        for (;;) {
            const ssize_t got = ::recv(far.get(), said.data(), said.size(), MSG_DONTWAIT);
            if (got <= 0) return got == 0 || errno != EAGAIN;
        }
    }
};

net::Task<Connected> connect(Share& share, PlainApp& app)
{
    auto connected = co_await share.rig.connect();
    REQUIRE(connected);
    proxy::Http2AppConnection& near = share.apps.add(std::move(*connected));
    co_return Connected{&near, app.accept()};
}

/// The app says that it takes whatever comes.
void open_windows(int far)
{
    using namespace http2::test;
    constexpr std::uint32_t kAll = (1U << 31U) - 1;
    constexpr std::uint32_t kFirst = 65'535;
    const std::string said =
        frame(kSettings, kNone, 0, number(4, 2) + number(kAll, 4)) + frame(kWindow, kNone, 0, number(kAll - kFirst, 4));
    REQUIRE(::send(far, said.data(), said.size(), 0) == static_cast<ssize_t>(said.size()));
}

void upload(proxy::Http2App& exchange, std::size_t size)
{
    http::RequestHead head;
    REQUIRE(http::parse_request("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n", {}, head));
    const std::vector<std::byte> body(size);
    REQUIRE(exchange.request(head, {}, {.bytes = body}));
}

} // namespace

TEST_CASE("A connection that was lost is there until its coroutine has ended", "[proxy][http2]")
{
    PlainApp app;
    Rig rig{upstream_of({&app})};
    rig.run([&app](Rig& r) -> net::Task<void> {
        Share share{r};
        const auto one = co_await connect(share, app);
        const auto two = co_await connect(share, app);
        for (const Connected* each : {&one, &two}) {
            each->near->begin_exchange();
            ::shutdown(each->far.get(), SHUT_WR);
        }
        while (!one.near->cause() || !two.near->cause())
            co_await net::Yield{r.loop};

        // The first one's coroutine ends in the next turn; what drops it runs behind that, in the same one, in which
        // the second one's has just been called for the turn after.
        std::optional<bool> dropped_too_early;
        one.near->end_exchange(nullptr);
        co_await net::Yield{r.loop};
        two.near->end_exchange(nullptr);
        r.loop.post([&] { dropped_too_early = two.closed(); });
        while (!dropped_too_early)
            co_await net::Yield{r.loop};

        CHECK_FALSE(*dropped_too_early);
        while (!one.closed() || !two.closed())
            co_await net::Yield{r.loop};
    });
}

TEST_CASE("An idle connection to an app that reads nothing is closed", "[proxy][http2]")
{
    PlainApp app;
    ipc::Upstream settings = upstream_of({&app});
    settings.idle_ms = 50;
    Rig rig{settings};
    rig.run([&app](Rig& r) -> net::Task<void> {
        Share share{r};
        const auto one = co_await connect(share, app);
        open_windows(one.far.get());
        while (!one.near->is_settled())
            co_await net::Yield{r.loop};
        {
            proxy::Http2App exchange{*one.near};
            upload(exchange, 16 << 20);
            for (std::size_t before = 0; before != one.near->frames.bytes_held();) {
                before = one.near->frames.bytes_held();
                co_await r.pause(20);
            }
            REQUIRE(one.near->frames.bytes_held() > 0); // the app's side is full
        }
        const net::Tick ended = r.loop.now();
        while (!one.near->cause() && r.loop.now() < ended + 5000)
            co_await net::Yield{r.loop};
        CHECK(one.near->cause());
        co_await r.pause(1); // it is dropped
    });
}
