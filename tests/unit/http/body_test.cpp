// Goal: a body comes out of its framing as it went in, however the bytes are cut, and nothing behind it is touched.
// Method: what BodyWriter writes, BodyReader reads, cut at every place.
#include <string>

#include "sallyport/http/body_reader.hpp"
#include "sallyport/http/body_writer.hpp"
#include "support/catch.hpp"

using namespace sallyport::http;
using Kind = Framing::Kind;

namespace {

std::span<const std::byte> bytes(std::string_view text)
{
    return std::as_bytes(std::span{text});
}

std::string text(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Read {
    std::string body;
    std::string rest;
};

/// Feeds `input` in two parts.
Read read_cut(BodyReader& reader, std::string input, std::size_t cut)
{
    Read read;
    std::string first = input.substr(0, cut);
    const auto one = reader.take(std::as_writable_bytes(std::span{first}));
    REQUIRE(one);
    read.body = text(one->bytes);
    std::string second = first.substr(one->size) + input.substr(cut);
    const auto two = reader.take(std::as_writable_bytes(std::span{second}));
    REQUIRE(two);
    read.body += text(two->bytes);
    read.rest = second.substr(two->size);
    return read;
}

} // namespace

TEST_CASE("a chunked body is read as it was written, wherever it is cut")
{
    Fields trailers;
    trailers.add("X-Sum", "7");
    BodyWriter writer;
    writer.begin({Kind::chunked});
    std::string written;
    writer.append(written, bytes("hello, "), false, nullptr);
    writer.append(written, {}, false, nullptr);
    writer.append(written, bytes("world"), true, &trailers);

    for (std::size_t cut = 0; cut <= written.size(); ++cut) {
        BodyReader reader{Limits{}};
        reader.begin({Kind::chunked});
        const Read read = read_cut(reader, written + "GET /next", cut);
        CHECK(read.body == "hello, world");
        CHECK(read.rest == "GET /next");
        CHECK(reader.ended());
        REQUIRE(reader.trailers().size() == 1);
        CHECK(reader.trailers().begin()->value == "7");
    }
}

TEST_CASE("a body by length ends after its length")
{
    BodyReader reader{Limits{}};
    reader.begin({Kind::length, 5});
    CHECK_FALSE(reader.ended());
    const Read read = read_cut(reader, "helloGET /next", 3);
    CHECK(read.body == "hello");
    CHECK(read.rest == "GET /next");
    CHECK(reader.ended());
    CHECK_FALSE(reader.ends_with_connection());
}

TEST_CASE("no body, and one of length 0, have ended before they begin")
{
    for (const Framing framing : {Framing{Kind::none}, Framing{Kind::length, 0}}) {
        BodyReader reader{Limits{}};
        reader.begin(framing);
        CHECK(reader.ended());
        CHECK(read_cut(reader, "GET /next", 4).rest == "GET /next");
    }
}

TEST_CASE("a body until the connection closes takes everything, and never ends by itself")
{
    BodyReader reader{Limits{}};
    reader.begin({Kind::until_close});
    CHECK(read_cut(reader, "everything", 4).body == "everything");
    CHECK_FALSE(reader.ended());
    CHECK(reader.ends_with_connection());
}

TEST_CASE("a reader is used for one body after the other")
{
    BodyReader reader{Limits{}};
    reader.begin({Kind::chunked});
    CHECK(read_cut(reader, "1\r\na\r\n0\r\n\r\n", 2).body == "a");
    reader.begin({Kind::chunked});
    CHECK_FALSE(reader.ended());
    CHECK(read_cut(reader, "2\r\nbc\r\n0\r\n\r\n", 2).body == "bc");
}

TEST_CASE("how much of what comes can be the body's is known, but of a chunked one")
{
    BodyReader reader{{}};
    CHECK(reader.left() == 0U); // before the first
    reader.begin({Kind::length, 10});
    std::string part = "abc";
    REQUIRE(reader.take(std::as_writable_bytes(std::span{part})));
    CHECK(reader.left() == 7U);
    part = "defghij and what is behind it";
    REQUIRE(reader.take(std::as_writable_bytes(std::span{part})));
    CHECK(reader.left() == 0U);
    reader.begin({Kind::chunked});
    CHECK_FALSE(reader.left());
    reader.begin_tunnel();
    CHECK(reader.left() > std::uint64_t{1} << 62);
}

TEST_CASE("malformed chunks are refused")
{
    BodyReader reader{Limits{}};
    reader.begin({Kind::chunked});
    std::string input = "5 \r\nhello\r\n";
    CHECK_FALSE(reader.take(std::as_writable_bytes(std::span{input})));
}
