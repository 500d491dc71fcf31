// Peers that cost more than they give: each is told to calm down, soon and cheaply.
#include "../../support/catch.hpp"
#include "../../support/http2_pair.hpp"

namespace sallyport::http2::test {

namespace {

/// Feeds `frames(i)` up to `times` times, `per_second` of them a second, pulling after each as if the peer read all.
struct Result {
    int fed{0};
    std::string end;
    std::string_view reason;
};

template <typename Frames>
Result flood(Frames frames, int times, int per_second, bool reads = true, std::string_view settings = {})
{
    StreamPool<ServerStream> pool;
    ServerSession session{{}, pool};
    feed(session, hello(settings));
    Result result;
    std::string output;
    for (; result.fed < times && !session.failure(); ++result.fed) {
        feed(session, frames(static_cast<std::uint32_t>(result.fed)),
             static_cast<std::uint64_t>(result.fed) * 1000 / static_cast<std::uint64_t>(per_second));
        while (ServerStream* const stream = session.next_news())
            if (stream->broken()) session.release(*stream);
        if (reads) output += output_of(session);
    }
    output += output_of(session);
    for (const Frame& frame : read_frames(output))
        if (frame.type == kGoaway) result.end = name(static_cast<Code>(frame.code()));
    if (session.failure()) result.reason = session.failure()->doing;
    CHECK(session.bytes_held() <= Options{}.connection_window);
    return result;
}

std::uint32_t id(std::uint32_t i)
{
    return 2 * i + 1;
}

const Lines kPost{{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}};
constexpr int kFast = 100'000;

} // namespace

TEST_CASE("rapid reset ends the connection")
{
    const auto reset = [](std::uint32_t i) { return headers(id(i), get()) + frame(kRst, kNone, id(i), number(8, 4)); };
    const Result fast = flood(reset, 5000, kFast);
    CHECK(fast.end == "enhance_your_calm");
    CHECK(fast.reason == "requests that are withdrawn");
    CHECK(fast.fed <= 520);
    CHECK(flood(reset, 5000, 50).end.empty());
}

TEST_CASE("so do mistakes that make us reset")
{
    const auto provoke = [](std::uint32_t i) {
        return headers(id(i), with(kPost, {{"content-length", "1"}}), kEndHeaders) + frame(kData, kNone, id(i), "ab");
    };
    const Result fast = flood(provoke, 5000, kFast);
    CHECK(fast.end == "enhance_your_calm");
    CHECK(fast.fed <= 520);
    const auto malformed = [](std::uint32_t i) { return headers(id(i), {{":method", "GET"}}); };
    CHECK(flood(malformed, 5000, kFast).end == "enhance_your_calm");
}

TEST_CASE("a head that never ends ends the connection")
{
    StreamPool<ServerStream> pool;
    ServerSession session{{}, pool};
    feed(session, hello() + frame(kHeaders, kNone, 1, hpack(get())));
    int fed = 0;
    for (; fed < 1000 && !session.failure(); ++fed) {
        feed(session, frame(kContinuation, kNone, 1, fed % 2 == 0 ? "" : hpack({{"x", std::string(1000, 'x')}})));
        static_cast<void>(output_of(session));
    }
    CHECK(session.failure());
    CHECK(fed <= 20);
}

TEST_CASE("a head that is small on the wire and huge beyond ends the connection")
{
    // One field of 4,000 bytes goes into the table; then each byte names it again.
    const std::string value(4000, 'v');
    const std::string insert = std::string{"\x40\x01x", 3} + hpack_size(value.size()) + value;
    StreamPool<ServerStream> pool;
    ServerSession session{{}, pool};
    feed(session, hello() + frame(kHeaders, kEndHeaders | kEndStream, 1, hpack(get()) + insert));
    feed(session, frame(kHeaders, kEndHeaders | kEndStream, 3, hpack(get()) + std::string(10'000, '\xBE')));
    REQUIRE(session.failure());
    CHECK(session.failure()->doing == "a head without end");
    CHECK(session.failure()->fault == Fault::forbidden);
    CHECK(session.failure()->side == Side::client);
}

TEST_CASE("frames that move nothing on end the connection, once there are thousands")
{
    const auto ping = [](std::uint32_t) { return frame(kPing, kNone, 0, "12345678"); };
    const auto settings = [](std::uint32_t) { return frame(kSettings, kNone, 0, ""); };
    const auto window = [](std::uint32_t) { return frame(kWindow, kNone, 0, number(1, 4)); };
    const auto priority = [](std::uint32_t) { return frame(kPriority, kNone, 1, std::string(5, '\0')); };
    const auto empty_data = [](std::uint32_t i) {
        return i == 0 ? headers(1, kPost, kEndHeaders) : frame(kData, kNone, 1, "");
    };
    const auto padding = [](std::uint32_t i) {
        return i == 0 ? headers(1, kPost, kEndHeaders) : frame(kData, kPadded, 1, std::string(1, '\x05') + "00000");
    };
    const auto check = [](std::string_view which, const auto& frames) {
        const Result result = flood(frames, 20'000, kFast);
        INFO(which);
        CHECK(result.end == "enhance_your_calm");
        CHECK(result.fed <= 4200);
    };
    check("ping", ping);
    check("settings", settings);
    check("window", window);
    check("priority", priority);
    check("empty data", empty_data);
    check("padding", padding);
    CHECK(flood(ping, 20'000, 100).end.empty());
}

TEST_CASE("answers that a client does not read are few")
{
    const auto ping = [](std::uint32_t) { return frame(kPing, kNone, 0, "12345678"); };
    const Result result = flood(ping, 20'000, 100, false);
    CHECK(result.end == "enhance_your_calm");
    CHECK(result.fed <= 1100);
}

TEST_CASE("honest traffic of small frames goes on for ever")
{
    StreamPool<ServerStream> pool;
    ServerSession session{{}, pool};
    feed(session, hello());
    std::uint32_t next = 1;
    for (int i = 0; i < 20'000 && !session.failure(); ++i, next += 2) {
        feed(session, headers(next, kPost, kEndHeaders) + frame(kWindow, kNone, 0, number(5, 4)) +
                          frame(kData, kNone, next, "a") + frame(kData, kNone, next, "b") +
                          frame(kData, kEndStream, next, ""));
        ServerStream* const stream = session.next_news();
        REQUIRE(stream != nullptr);
        session.respond(*stream, Response{"HTTP/1.1 200 OK\n"}.head(), {}, true);
        static_cast<void>(session.send(*stream, bytes_of("hello")));
        session.finish(*stream);
        session.release(*stream);
        static_cast<void>(output_of(session));
    }
    CHECK_FALSE(session.failure());
    CHECK(session.streams_held() == 0);
    CHECK(session.bytes_held() == 0);
}

TEST_CASE("what is no HTTP/2 ends the connection")
{
    for (const std::string& bytes :
         {std::string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}, hello() + frame(kSettings, kAck, 0, "x"),
          hello() + frame(kHeaders, kEndHeaders, 0, hpack(get())),
          hello() + frame(kHeaders, kEndHeaders, 2, hpack(get())), hello() + frame(kData, kNone, 1, "x"),
          hello() + frame(kContinuation, kNone, 1, ""),
          hello() + frame(kHeaders, kEndHeaders, 1, "\xFF\xFF\xFF\xFF\xFF\xFF"), hello() + frame(kPing, kNone, 0, "1"),
          hello() + number(1U << 20U, 3) + number(kData, 1) + number(0, 1) + number(1, 4),
          hello() + frame(kWindow, kNone, 0, number(0x7FFFFFFF, 4)),
          hello() + frame(kPushPromise, kEndHeaders, 1, "")}) {
        StreamPool<ServerStream> pool;
        ServerSession session{{}, pool};
        feed(session, bytes);
        static_cast<void>(output_of(session));
        static_cast<void>(output_of(session));
        INFO(bytes.substr(0, 40));
        REQUIRE(session.failure());
        CHECK(session.failure()->fault == Fault::malformed);
        CHECK_FALSE(session.failure()->doing.empty());
        CHECK(session.ended());
    }
}

} // namespace sallyport::http2::test
