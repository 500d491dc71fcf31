// Goal: the boundaries of frames are found wherever the bytes are cut. Method: frames of every length form, fed whole
// and byte by byte.
#include <string>
#include <string_view>

#include "sallyport/http/websocket_frames.hpp"
#include "support/catch.hpp"

using sallyport::http::WebSocketFrames;
using namespace std::string_literals;

namespace {

std::span<const std::byte> bytes(std::string_view text)
{
    return std::as_bytes(std::span{text});
}

std::string frame(std::string_view head, std::size_t payload)
{
    return std::string{head} + std::string(payload, 'x');
}

const std::array kFrames{
    frame("\x81\x00"s, 0),                                      // empty text
    frame("\x82\x7d"s, 125),                                    // the longest short form
    frame("\x82\x7e\x01\x00"s, 256),                            // 16 bits
    frame("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s, 65'536), // 64 bits
    frame("\x01\x83\x01\x02\x03\x04"s, 3),                      // masked, a fragment
    frame("\x82\xfe\x00\x80\x01\x02\x03\x04"s, 128),            // masked, 16 bits
};

} // namespace

TEST_CASE("a whole frame ends at a boundary, and no part of it does")
{
    for (const std::string& frame : kFrames) {
        WebSocketFrames frames;
        CHECK(frames.at_boundary());
        CHECK(frames.pass(bytes(frame)) == frame.size());
        CHECK(frames.at_boundary());
        for (std::size_t cut = 1; cut < std::min<std::size_t>(frame.size(), 300); ++cut) {
            WebSocketFrames part;
            CHECK(part.pass(bytes(frame).first(cut)) == 0);
            CHECK_FALSE(part.at_boundary());
            CHECK(part.pass(bytes(frame).subspan(cut)) == frame.size() - cut);
        }
    }
}

TEST_CASE("of a run of frames the whole ones are told from the one that has begun")
{
    const std::string whole = kFrames[1] + kFrames[2] + kFrames[4];
    WebSocketFrames frames;
    CHECK(frames.pass(bytes(whole + kFrames[5].substr(0, 20))) == whole.size());
    CHECK_FALSE(frames.at_boundary());
}

TEST_CASE("a Close frame is noticed, also byte by byte, and a payload that looks like one is not")
{
    WebSocketFrames frames;
    for (const char c : frame("\x82\x02\x88\x00"s, 0))
        CHECK(frames.pass(bytes({&c, 1})) <= 1);
    CHECK_FALSE(frames.closing());
    for (const char c : "\x88\x02\x03\xe8"s)
        CHECK(frames.pass(bytes({&c, 1})) <= 1);
    CHECK(frames.closing());
    CHECK(frames.at_boundary());
}
