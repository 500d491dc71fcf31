// Both sessions back to back, the bytes between them cut anywhere.
#include "../../support/catch.hpp"
#include "../../support/http2_pair.hpp"

namespace sallyport::http2::test {

namespace {

constexpr http::RequestOptions kPlain{};

struct Cut {
    std::uint32_t seed;
    std::size_t piece_max;
};
constexpr std::array kCuts{Cut{1, 1}, Cut{2, 3}, Cut{3, 40}, Cut{4, 1000}, Cut{5, Session::kFeedMax}};

/// Takes what has come of a body, piece by piece, until nothing more does.
std::string take_all(Pair& pair, Session& session, Stream& stream)
{
    std::string body;
    while (!stream.arrived().empty()) {
        const std::size_t size = std::min<std::size_t>(stream.arrived().size(), 5000);
        body += text_of(stream.arrived().first(size));
        session.take(stream, size);
        pair.settle();
    }
    return body;
}

std::string pattern(std::size_t size)
{
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

} // namespace

TEST_CASE("a request's head arrives as HTTP/1.1 would have brought it, and so does the response's")
{
    for (const Cut& cut : kCuts) {
        Pair pair{cut.seed, cut.piece_max};
        const Request request{"GET /a?b=c HTTP/1.1\nHost: example.org:8443\nAccept: */*\nCookie: a=b\nX-Long: " +
                              std::string(3000, 'x') + "\nConnection: close, x-hop\nX-Hop: 1\n"};
        REQUIRE(request.ok());
        ClientStream& asked = http2::test::ask(pair.client, request.head(), kPlain);
        pair.settle();

        ServerStream* const served = pair.server.next_news();
        REQUIRE(served != nullptr);
        CHECK(pair.server.next_news() == nullptr);
        CHECK_FALSE(served->refused());
        CHECK(served->arrived_all());
        CHECK(served->head().version == http::Version::http2);
        CHECK(served->head().host == "example.org");
        CHECK(written(served->head()) ==
              "GET /a?b=c HTTP/1.1\nHost: example.org:8443\naccept: */*\ncookie: a=b\nx-long: " +
                  std::string(3000, 'x') + "\n\n");

        const Response response{"HTTP/1.1 200 OK\nContent-Length: 5\nServer: s\nKeep-Alive: timeout=5\nSet-Cookie: "
                                "a=1\nSet-Cookie: b=2\n"};
        REQUIRE(response.ok());
        pair.server.respond(*served, response.head(), {}, true);
        CHECK(pair.server.send(*served, bytes_of("hello")) == 0);
        pair.server.finish(*served);
        pair.settle();
        pair.server.release(*served);

        REQUIRE(pair.client.next_news() == &asked);
        REQUIRE(asked.head() != nullptr);
        CHECK(written(*asked.head()) ==
              "HTTP/1.1 200 \nContent-Length: 5\nserver: s\nset-cookie: a=1\nset-cookie: b=2\n\n");
        CHECK(text_of(asked.arrived()) == "hello");
        CHECK(asked.arrived_all());
        pair.client.release(asked);
        CHECK(pair.client.streams_held() == 0);
        CHECK(pair.server.streams_held() == 0);
        CHECK(pair.client.bytes_held() == 0);
        CHECK(pair.server.bytes_held() == 0);
    }
}

TEST_CASE("bodies arrive intact both ways, with their trailers, at the pace of whoever takes them")
{
    for (const Cut& cut : kCuts) {
        const std::size_t size = cut.piece_max == 1 ? 100'000 : 3'000'000;
        Pair pair{cut.seed, cut.piece_max};
        const Request request{"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTE: trailers\nConnection: TE\n"};
        REQUIRE(request.ok());
        ClientStream& asked = http2::test::ask(pair.client, request.head(), kPlain);
        const std::string body = pattern(size);
        static_cast<void>(pair.client.send(asked, bytes_of(body)));
        http::Fields trailers;
        trailers.add("X-Sum", "42");
        trailers.add("Authorization", "no trailer");
        pair.client.finish(asked, &trailers);
        pair.settle();

        ServerStream* const served = pair.server.next_news();
        REQUIRE(served != nullptr);
        CHECK(served->head().accepts_trailers);
        CHECK(served->head().framing.kind == http::Framing::Kind::chunked);
        CHECK(served->arrived().size() <= Options{}.stream_window);
        CHECK((take_all(pair, pair.server, *served) == body));
        CHECK(served->arrived_all());
        REQUIRE(served->trailers().size() == 1);
        CHECK(served->trailers().begin()->name == "x-sum");
        CHECK(served->trailers().begin()->value == "42");

        const Response response{"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n"};
        pair.server.respond(*served, response.head(), {}, true);
        static_cast<void>(pair.server.send(*served, bytes_of(body)));
        pair.server.finish(*served, &served->trailers());
        pair.server.release(*served);
        pair.settle();
        CHECK((take_all(pair, pair.client, asked) == body));
        CHECK(asked.arrived_all());
        REQUIRE(asked.trailers().size() == 1);
        CHECK_FALSE(asked.broken());
        pair.client.release(asked);
        CHECK(pair.server.bytes_held() == 0);
    }
}

TEST_CASE("a large piece goes into the caller's buffer at once, and only what the windows stop is kept")
{
    Pair pair;
    const Request request{"GET / HTTP/1.1\nHost: a\n"};
    ClientStream& asked = http2::test::ask(pair.client, request.head(), kPlain);
    pair.settle();
    ServerStream& served = *pair.server.next_news();
    pair.server.respond(served, Response{"HTTP/1.1 200 OK\n"}.head(), {}, true);
    const std::string body = pattern(100'000);
    std::vector<std::byte> buffer(272 * 1024);
    const std::size_t used = pair.server.send(served, bytes_of(body), buffer);
    CHECK(used > body.size());
    CHECK(served.unsent() == 0);
    pair.cut.feed(pair.client, text_of(std::span{buffer}.first(used)));
    CHECK(asked.arrived().size() == body.size());

    const std::size_t more = pair.server.send(served, bytes_of(pattern(300'000)), buffer);
    CHECK(more < 200'000);
    CHECK(served.unsent() == 400'000 - Options{}.stream_window);
    pair.cut.feed(pair.client, text_of(std::span{buffer}.first(more)));
    static_cast<void>(pair.server.next_news());
    pair.settle();
    CHECK(pair.server.next_news() == nullptr);
    CHECK((take_all(pair, pair.client, asked) == body + pattern(300'000)));
    CHECK(served.unsent() == 0);
    CHECK(pair.server.next_news() == &served);
}

TEST_CASE("no stream's body stops another's, as long as the connection's window lasts")
{
    Pair pair;
    const Request upload{"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n"};
    ClientStream& stuck = http2::test::ask(pair.client, upload.head(), kPlain);
    static_cast<void>(pair.client.send(stuck, bytes_of(pattern(2'000'000))));
    ClientStream& moving = http2::test::ask(pair.client, upload.head(), kPlain);
    static_cast<void>(pair.client.send(moving, bytes_of(pattern(2'000'000))));
    pair.client.finish(moving);
    pair.settle();
    ServerStream& first = *pair.server.next_news();
    ServerStream& second = *pair.server.next_news();
    CHECK((take_all(pair, pair.server, second) == pattern(2'000'000)));
    CHECK(second.arrived_all());
    CHECK(first.arrived().size() == Options{}.stream_window);
    CHECK(pair.server.bytes_held() == Options{}.stream_window);
    pair.server.discard(first);
    pair.settle();
    CHECK(stuck.unsent() == 0);
}

TEST_CASE("interim heads come before the response, each once")
{
    Pair pair;
    ClientStream& asked = http2::test::ask(
        pair.client, Request{"POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 2\n"}.head(), kPlain);
    pair.settle();
    ServerStream& served = *pair.server.next_news();
    CHECK(served.head().expects_continue);
    CHECK(served.head().framing == http::Framing{http::Framing::Kind::length, 2});
    pair.server.respond(served, Response{"HTTP/1.1 100 Continue\n"}.head(), {}, false);
    pair.server.respond(served, Response{"HTTP/1.1 103 Early Hints\nLink: </a>\n"}.head(), {}, false);
    pair.settle();
    pair.server.respond(served, Response{"HTTP/1.1 204 No Content\n"}.head(), {}, false);
    pair.settle();
    std::vector<int> seen;
    for (; asked.head()->is_interim(); asked.pass_interim())
        seen.push_back(asked.head()->status);
    seen.push_back(asked.head()->status);
    CHECK(seen == std::vector{100, 103, 204});
    CHECK(asked.head()->framing.kind == http::Framing::Kind::none);
    CHECK(asked.arrived_all());
    pair.server.release(served);
    pair.settle();
    // 204 was all: the client was told to keep its body.
    CHECK(asked.broken() == Code::no_error);
}

TEST_CASE("a route's edits apply to heads and trailers")
{
    Pair pair;
    http::NameSet removed;
    removed.insert("X-Secret");
    const std::array added{http::Line{"X-Forwarded-Proto", "https"}};
    const http::Edits edits{&removed, added};
    ClientStream& asked = http2::test::ask(
        pair.client, Request{"GET / HTTP/1.1\nHost: a\nX_Secret: 1\nX-Other: 2\n"}.head(), {.edits = edits});
    pair.settle();
    ServerStream& served = *pair.server.next_news();
    CHECK(written(served.head()) == "GET / HTTP/1.1\nHost: a\nx-other: 2\nx-forwarded-proto: https\n\n");
    pair.server.respond(served, Response{"HTTP/1.1 200 OK\nX-Secret: 1\n"}.head(), edits, true);
    http::Fields trailers;
    trailers.add("X-Secret", "1");
    pair.server.finish(served, &trailers, &removed);
    pair.settle();
    CHECK(written(*asked.head()) == "HTTP/1.1 200 \nTransfer-Encoding: chunked\nx-forwarded-proto: https\n\n");
    CHECK(asked.trailers().empty());
    CHECK(asked.arrived_all());
}

TEST_CASE("a WebSocket is an upgrade on both sides, and a tunnel between")
{
    Pair pair;
    CHECK(pair.client.offers_extended_connect());
    ClientStream& asked =
        http2::test::ask(pair.client,
                         Request{"GET /chat HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n"
                                 "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: theirs\n"}
                             .head(),
                         kPlain);
    pair.settle();
    ServerStream& served = *pair.server.next_news();
    CHECK_FALSE(served.refused());
    CHECK(served.head().method == http::Method::get);
    CHECK(served.head().method_text == "GET");
    CHECK(served.head().upgrade == "websocket");
    const http::Field* const key = served.head().fields.find(http::FieldName::sec_websocket_key);
    REQUIRE(key != nullptr);
    CHECK(key->value.size() == 24);
    CHECK(key->value.ends_with("=="));
    CHECK(key->value != "theirs");
    pair.server.respond(served,
                        Response{"HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: websocket\n"
                                 "Sec-WebSocket-Accept: x\nSec-WebSocket-Protocol: p\n"}
                            .head(),
                        {}, true);
    static_cast<void>(pair.server.send(served, bytes_of("down")));
    static_cast<void>(pair.client.send(asked, bytes_of("up")));
    pair.settle();
    REQUIRE(asked.head() != nullptr);
    CHECK(asked.head()->status == 101);
    CHECK(asked.head()->upgrade == "websocket");
    CHECK(asked.head()->fields.size() == 1);
    CHECK(text_of(asked.arrived()) == "down");
    CHECK(text_of(served.arrived()) == "up");
    pair.server.finish(served);
    pair.settle();
    CHECK(asked.arrived_all());
    CHECK_FALSE(asked.broken());
    static_cast<void>(pair.client.send(asked, bytes_of(" still")));
    pair.client.finish(asked);
    pair.settle();
    CHECK(text_of(served.arrived()) == "up still");
    CHECK(served.arrived_all());
}

} // namespace sallyport::http2::test
