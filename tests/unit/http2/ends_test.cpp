// How streams and connections end, in order and out of it.
#include "../../support/catch.hpp"
#include "../../support/http2_pair.hpp"

namespace sallyport::http2::test {

namespace {

const Request kGet{"GET / HTTP/1.1\nHost: a\n"};
const Request kPost{"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n"};
const Response kOk{"HTTP/1.1 200 OK\n"};

ClientStream& ask(Pair& pair, const Request& request = kGet)
{
    ClientStream& asked = http2::test::ask(pair.client, request.head());
    pair.settle();
    return asked;
}

} // namespace

TEST_CASE("a reset tells the other side its code, and who sent it")
{
    Pair pair;
    ClientStream& asked = ask(pair);
    ServerStream& served = *pair.server.next_news();
    pair.server.respond(served, kOk.head(), {}, true);
    static_cast<void>(pair.server.send(served, bytes_of("part")));
    pair.settle();

    SECTION("the server's")
    {
        pair.server.reset(served, Code::internal_error);
        pair.settle();
        CHECK(asked.broken() == Code::internal_error);
        CHECK_FALSE(asked.can_be_replayed());
        CHECK(text_of(asked.arrived()) == "part");
    }
    SECTION("the client's")
    {
        pair.client.reset(asked, Code::cancel);
        static_cast<void>(pair.server.next_news());
        pair.settle();
        CHECK(served.broken() == Code::cancel);
        CHECK(pair.server.next_news() == &served);
        CHECK(pair.server.send(served, bytes_of("more")) == 0);
        CHECK(served.unsent() == 0);
    }
    SECTION("a released client stream's")
    {
        pair.client.release(asked);
        pair.settle();
        CHECK(served.broken() == Code::cancel);
    }
    CHECK_FALSE(pair.server.failure());
    CHECK_FALSE(pair.client.failure());
}

TEST_CASE("a stream that is refused before anything was done may be asked again")
{
    Pair pair;
    ClientStream& asked = ask(pair);
    ServerStream& served = *pair.server.next_news();
    pair.server.reset(served, Code::refused_stream);
    pair.settle();
    CHECK(asked.can_be_replayed());
}

TEST_CASE("a released response is sent to its end; a body that nobody wants is stopped after it")
{
    Pair pair;
    ClientStream& asked = ask(pair, kPost);
    ServerStream& served = *pair.server.next_news();
    pair.server.respond(served, kOk.head(), {}, true);
    static_cast<void>(pair.server.send(served, bytes_of(std::string(500'000, 'x'))));
    pair.server.finish(served);
    pair.server.release(served);
    CHECK(pair.server.streams_held() == 0);
    std::size_t size = 0;
    for (pair.settle(); !asked.arrived().empty(); pair.settle()) {
        size += asked.arrived().size();
        pair.client.take(asked, asked.arrived().size());
    }
    CHECK(size == 500'000);
    CHECK(asked.arrived_all());
    CHECK(asked.broken() == Code::no_error);
    CHECK(pair.server.bytes_held() == 0);
}

TEST_CASE("a drain lets finish what has begun, and ends")
{
    Pair pair;
    ClientStream& asked = ask(pair);
    ServerStream& served = *pair.server.next_news();
    pair.server.drain();
    CHECK_FALSE(pair.server.ended());
    pair.settle();
    CHECK(pair.client.peer_drains());
    CHECK(pair.client.room() == 0);
    CHECK_FALSE(pair.server.ended());
    pair.server.respond(served, kOk.head(), {}, false);
    pair.server.release(served);
    pair.settle();
    CHECK(asked.arrived_all());
    CHECK_FALSE(asked.broken());
    CHECK(pair.server.ended());
    CHECK(pair.client.ended());
    CHECK_FALSE(pair.server.failure());
}

TEST_CASE("a request that crosses the first GOAWAY is served")
{
    Pair pair;
    pair.server.drain();
    const std::string notice = output_of(pair.server);
    CHECK_FALSE(read_frames(notice).empty());
    ClientStream& asked = http2::test::ask(pair.client, kGet.head());
    pair.cut.feed(pair.server, output_of(pair.client));
    ServerStream* const served = pair.server.next_news();
    REQUIRE(served != nullptr);
    pair.cut.feed(pair.client, notice);
    pair.settle();
    pair.server.respond(*served, kOk.head(), {}, false);
    pair.server.release(*served);
    pair.settle();
    CHECK(asked.arrived_all());
    CHECK(pair.server.ended());
}

TEST_CASE("streams above GOAWAY's last may be asked again")
{
    StreamPool<ClientStream> pool;
    ClientSession app{{}, pool};
    feed(app, frame(kSettings, kNone, 0, ""));
    ClientStream& first = http2::test::ask(app, kGet.head());
    ClientStream& second = http2::test::ask(app, kGet.head());
    static_cast<void>(output_of(app));
    feed(app, frame(kGoaway, kNone, 0, number(1, 4) + number(0, 4)));
    CHECK_FALSE(first.broken());
    CHECK(second.broken());
    CHECK(second.can_be_replayed());
    CHECK(app.peer_drains());
    CHECK(app.room() == 0);
}

TEST_CASE("room is what the app allows")
{
    StreamPool<ClientStream> pool;
    ClientSession app{{.streams_max = 50}, pool};
    CHECK(app.room() == 50);
    feed(app, frame(kSettings, kNone, 0, number(3, 2) + number(2, 4)));
    CHECK_FALSE(app.offers_extended_connect());
    CHECK(app.room() == 2);
    ClientStream& one = http2::test::ask(app, kGet.head());
    static_cast<void>(http2::test::ask(app, kGet.head()));
    CHECK(app.room() == 0);
    app.release(one);
    static_cast<void>(output_of(app));
    CHECK(app.room() == 1);
}

TEST_CASE("an end breaks every stream")
{
    Pair pair;
    static_cast<void>(ask(pair));
    ServerStream& served = *pair.server.next_news();
    pair.server.end(Code::internal_error);
    CHECK(served.broken() == Code::internal_error);
    pair.settle();
    CHECK(pair.client.peer_drains());
    CHECK(pair.server.ended());
}

TEST_CASE("an app's head that may not be passed on breaks its stream alone")
{
    StreamPool<ClientStream> pool;
    ClientSession app{{}, pool};
    ClientStream& refused = http2::test::ask(app, kGet.head());
    ClientStream& other = http2::test::ask(app, kGet.head());
    static_cast<void>(output_of(app));
    feed(app, frame(kSettings, kNone, 0, ""));
    const Lines huge{{":status", "200"}, {"x", std::string(40'000, 'x')}};
    const std::string block = hpack(huge);
    feed(app, frame(kHeaders, kNone, 1, block.substr(0, 16'000)) +
                  frame(kContinuation, kNone, 1, block.substr(16'000, 16'000)) +
                  frame(kContinuation, kEndHeaders, 1, block.substr(32'000)));
    REQUIRE(refused.refused());
    CHECK(refused.refused()->reason == http::Refusal::head_too_large);
    CHECK(refused.refused()->field == "x");
    CHECK(refused.broken());
    feed(app, headers(3, {{":status", "200"}}));
    CHECK(other.head() != nullptr);
    CHECK_FALSE(app.failure());
}

TEST_CASE("an app that answers with interim heads without end is stopped")
{
    StreamPool<ClientStream> pool;
    ClientSession app{{}, pool};
    ClientStream& asked = http2::test::ask(app, kGet.head());
    static_cast<void>(output_of(app));
    feed(app, frame(kSettings, kNone, 0, ""));
    for (int i = 0; i < 100; ++i)
        feed(app, headers(1, {{":status", "103"}}, kEndHeaders));
    CHECK(asked.broken());
    CHECK_FALSE(app.failure());
}

} // namespace sallyport::http2::test
