// Requests made by hand: what is served, what is refused with a status, and what ends its stream (RFC 9113 §8).
#include "../../support/catch.hpp"
#include "../../support/http2_pair.hpp"

namespace sallyport::http2::test {

namespace {

struct Server {
    explicit Server(const Options& options = {}) : session{options, pool} { feed(session, hello()); }

    StreamPool<ServerStream> pool;
    ServerSession session;
};

/// "served", the reason of a refusal with its status, or the code of the RST_STREAM.
std::string fate_of(const std::string& frames, const Options& options = {})
{
    Server server{options};
    static_cast<void>(output_of(server.session));
    feed(server.session, frames);
    std::string fate;
    if (ServerStream* const stream = server.session.next_news(); stream != nullptr) {
        const auto& refused = stream->refused();
        fate = refused ? std::string{http::facts(refused->reason).name} + " " +
                             std::to_string(http::facts(refused->reason).status)
                       : "served";
    }
    for (const Frame& frame : read_frames(output_of(server.session))) {
        if (frame.type == kRst) fate += " reset " + std::string{name(static_cast<Code>(frame.code()))};
        if (frame.type == kGoaway) fate += " goaway " + std::string{name(static_cast<Code>(frame.code()))};
    }
    return fate;
}

Lines without(Lines lines, std::string_view name)
{
    std::erase_if(lines, [&](const auto& line) { return line.first == name; });
    return lines;
}

Lines changed(std::string_view name, std::string_view value)
{
    Lines lines = get();
    for (auto& line : lines)
        if (line.first == name) line.second = value;
    return lines;
}

struct Row {
    std::string_view section;
    Lines lines;
    std::string_view fate;
};

const std::string kReset = " reset protocol_error";

const std::vector<Row> kRows{
    {"9113 8.3.1", get(), "served"},
    {"9113 8.3.1", get("/a%20b?c=d|e"), "served"},
    {"9113 8.3.1", changed(":scheme", "http"), "served"},
    {"9113 8.3.1", changed(":scheme", "HTTPS"), "served"},
    {"9113 8.3.1", changed(":scheme", "ftp"), "unknown scheme 400"},
    {"9113 8.3.1", changed(":path", "*"), " reset protocol_error"},
    {"9113 8.3.1", changed(":path", ""), " reset protocol_error"},
    {"9113 8.3.1", changed(":path", "a"), " reset protocol_error"},
    {"9113 8.3.1", changed(":path", "http://a/"), " reset protocol_error"},
    {"9113 8.3.1", changed(":path", "/a b"), " reset protocol_error"},
    {"9112 3.2", changed(":path", "/a#b"), "invalid request target 400"},
    {"9112 3.2", changed(":path", "/\xC3\xA4"), "invalid request target 400"},
    {"9113 8.3.1", with(without(changed(":path", "*"), ":method"), {}), " reset protocol_error"},
    {"9113 8.3.1", {{":method", "OPTIONS"}, {":scheme", "https"}, {":authority", "a"}, {":path", "*"}}, "served"},
    {"9113 8.3.1", without(get(), ":method"), " reset protocol_error"},
    {"9113 8.3.1", without(get(), ":scheme"), " reset protocol_error"},
    {"9113 8.3.1", without(get(), ":path"), " reset protocol_error"},
    {"9113 8.3.1", without(get(), ":authority"), " reset protocol_error"},
    {"9113 8.3.1", with(without(get(), ":authority"), {{"host", "example.org"}}), "served"},
    {"9113 8.3.1", with(get(), {{"host", "example.org"}}), "served"},
    {"9113 8.3.1", with(get(), {{"host", "example.org:443"}}), "served"},
    {"9113 8.3.1", with(get(), {{"host", "other.org"}}), "host differs from the target 400"},
    {"9113 8.3.1", with(get(), {{"host", "example.org"}, {"host", "example.org"}}), " reset protocol_error"},
    {"9110 7.2", changed(":authority", "a,b"), "malformed host 400"},
    {"9113 8.3.1", changed(":authority", "user@example.org"), "malformed host 400"},
    {"9113 8.3", with(get(), {{":path", "/"}}), " reset protocol_error"},
    {"9113 8.3", with(get(), {{":status", "200"}}), " reset protocol_error"},
    {"9113 8.3", with(get(), {{":unknown", "1"}}), " reset protocol_error"},
    {"9113 8.3", with({{"accept", "*/*"}}, get()), " reset protocol_error"},
    {"9110 9.1", changed(":method", "G(T"), " reset protocol_error"},
    {"9110 9.1", changed(":method", std::string(33, 'M')), "method too long 501"},
    {"9113 8.5", {{":method", "CONNECT"}, {":authority", "a:443"}}, "connect is not supported 501"},
    {"8441 4", with(changed(":method", "CONNECT"), {{":protocol", "websocket"}}), "served"},
    {"8441 4", with(changed(":method", "CONNECT"), {{":protocol", "connect-udp"}}), "connect is not supported 501"},
    {"8441 4", with(get(), {{":protocol", "websocket"}}), " reset protocol_error"},
    {"9113 8.2", with(get(), {{"Accept", "*/*"}}), " reset protocol_error"},
    {"9113 8.2.1", with(get(), {{"a b", "c"}}), "invalid field name 400"},
    {"9113 8.2.1", with(get(), {{"", "c"}}), "invalid field name 400"},
    {"9113 8.2.1", with(get(), {{"a:b", "c"}}), "invalid field name 400"},
    {"9113 8.2.1", with(get(), {{"a", "b\r\nc: d"}}), "control character 400"},
    {"9113 8.2.1", with(get(), {{"a", std::string{"b\0c", 3}}}), "control character 400"},
    {"9113 8.2.1", with(get(), {{"a", " b"}}), "control character 400"},
    {"9113 8.2.1", with(get(), {{"a", "b\t"}}), "control character 400"},
    {"9113 8.2.1", with(get(), {{"a", "\xE4"}}), "served"},
    {"9113 8.2.2", with(get(), {{"connection", "close"}}), " reset protocol_error"},
    {"9113 8.2.2", with(get(), {{"transfer-encoding", "chunked"}}), " reset protocol_error"},
    {"9113 8.2.2", with(get(), {{"keep-alive", "timeout=5"}}), " reset protocol_error"},
    {"9113 8.2.2", with(get(), {{"proxy-connection", "x"}}), " reset protocol_error"},
    {"9113 8.2.2", with(get(), {{"upgrade", "h2c"}}), " reset protocol_error"},
    {"9113 8.2.2", with(get(), {{"te", "trailers"}}), "served"},
    {"9113 8.2.2", with(get(), {{"te", "gzip"}}), " reset protocol_error"},
    {"9113 8.1.1", with(get(), {{"content-length", "0"}}), "served"},
    {"9113 8.1.1", with(get(), {{"content-length", "5"}}), " reset protocol_error"},
    {"9110 8.6", with(get(), {{"content-length", "0"}, {"content-length", "0"}}), " reset protocol_error"},
    {"9110 8.6", with(get(), {{"content-length", "+0"}}), " reset protocol_error"},
    {"9110 8.6", with(get(), {{"content-length", "0, 0"}}), " reset protocol_error"},
    {"9110 10.1.1", with(get(), {{"expect", "miracles"}}), "unknown expectation 417"},
    {"6585 5", with(get(), {{"x", std::string(33 * 1024, 'x')}}), "head too large 431"},
    {"9112 3", changed(":path", "/" + std::string(8 * 1024, 'p')), "request target too long 414"},
};

/// A head of any size: HEADERS and as many CONTINUATIONs as it takes.
std::string cut_headers(const Lines& lines, unsigned flags)
{
    const std::string block = hpack(lines);
    constexpr std::size_t kFrame = 16 * 1024;
    if (block.size() <= kFrame) return frame(kHeaders, flags | kEndHeaders, 1, block);
    std::string frames = frame(kHeaders, flags, 1, block.substr(0, kFrame));
    for (std::size_t at = kFrame; at < block.size(); at += kFrame)
        frames += frame(kContinuation, at + kFrame < block.size() ? kNone : kEndHeaders, 1, block.substr(at, kFrame));
    return frames;
}

} // namespace

TEST_CASE("what becomes of requests")
{
    for (const Row& row : kRows) {
        INFO(row.section << " " << row.lines.back().first << ": " << row.lines.back().second.substr(0, 60));
        CHECK(fate_of(cut_headers(row.lines, kEndStream)) == row.fate);
    }
}

TEST_CASE("a body is as long as its content-length, or the stream ends")
{
    const Lines post = with(changed(":method", "POST"), {{"content-length", "3"}});
    const std::string head = headers(1, post, kEndHeaders);
    CHECK(fate_of(head + frame(kData, kEndStream, 1, "abc")) == "served");
    CHECK(fate_of(head + frame(kData, kNone, 1, "abc") + frame(kData, kEndStream, 1, "")) == "served");
    CHECK(fate_of(head + frame(kData, kEndStream, 1, "ab")) == "served reset protocol_error");
    CHECK(fate_of(head + frame(kData, kEndStream, 1, "abcd")) == "served reset protocol_error");
    CHECK(fate_of(head + headers(1, {{"x", "y"}})) == "served reset protocol_error");
}

TEST_CASE("trailers are fields, at the end")
{
    const std::string head = headers(1, changed(":method", "POST"), kEndHeaders);
    CHECK(fate_of(head + headers(1, {{"x", "y"}})) == "served");
    CHECK(fate_of(head + headers(1, {{"x", "y"}}, kEndHeaders)) == "served reset protocol_error");
    CHECK(fate_of(head + headers(1, {{":path", "/"}})) == "served reset protocol_error");
    CHECK(fate_of(head + headers(1, {{"x", std::string(9000, 'y')}})) == "served reset protocol_error");
    CHECK(fate_of(head + headers(1, {{"a b", "y"}})) == "served reset protocol_error");
}

TEST_CASE("cookie crumbs are joined in their order, where the first stood")
{
    Server server;
    feed(server.session,
         headers(1, with(get(), {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}, {"z", ""}})));
    ServerStream& stream = *server.session.next_news();
    CHECK(written(stream.head()) == "GET / HTTP/1.1\nHost: example.org\ncookie: a=1; b=2; c=3\nx: y\nz: \n\n");
    CHECK(stream.head().fields.count(http::FieldName::cookie) == 1);
}

TEST_CASE("a browser's many crumbs are one field to the limit")
{
    Lines lines = get();
    for (int i = 0; i < 200; ++i)
        lines.emplace_back("cookie", "n" + std::to_string(i) + "=v");
    CHECK(fate_of(headers(1, lines)) == "served");
    lines = get();
    for (int i = 0; i < 101; ++i)
        lines.emplace_back("x" + std::to_string(i), "v");
    CHECK(fate_of(headers(1, lines)) == "too many fields 431");
}

TEST_CASE("a refused head tells its largest field, and what was understood of the rest")
{
    Server server;
    feed(server.session,
         cut_headers(with(get("/here"), {{"small", "1"}, {"x-large", std::string(40'000, 'x')}}), kEndStream));
    ServerStream& stream = *server.session.next_news();
    REQUIRE(stream.refused());
    CHECK(stream.refused()->field == "x-large");
    CHECK(stream.refused()->field_size == 40'000 + 7 + 4);
    CHECK(stream.head().path == "/here");
    CHECK(stream.head().host == "example.org");
}

TEST_CASE("streams over the limit are refused, and may be asked again")
{
    Server server{{.streams_max = 2}};
    static_cast<void>(output_of(server.session));
    feed(server.session, headers(1, get()) + headers(3, get()) + headers(5, get()));
    CHECK(server.session.next_news() != nullptr);
    CHECK(server.session.next_news() != nullptr);
    CHECK(server.session.next_news() == nullptr);
    const auto frames = read_frames(output_of(server.session));
    const auto reset = std::ranges::find(frames, kRst, &Frame::type);
    REQUIRE(reset != frames.end());
    CHECK(reset->stream == 5);
    CHECK(static_cast<Code>(reset->code()) == Code::refused_stream);
}

} // namespace sallyport::http2::test
