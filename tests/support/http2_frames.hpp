// HTTP/2 frames made and read by hand, for what no honest peer sends.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::http2::test {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Type : std::uint8_t {
    kData,
    kHeaders,
    kPriority,
    kRst,
    kSettings,
    kPushPromise,
    kPing,
    kGoaway,
    kWindow,
    kContinuation
};
enum Flag : std::uint8_t { kNone = 0, kEndStream = 1, kAck = 1, kEndHeaders = 4, kPadded = 8 };

inline std::string number(std::uint32_t value, int bytes)
{
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        text.push_back(static_cast<char>(value >> shift & 0xFFU));
    return text;
}

inline std::string frame(std::uint8_t type, unsigned flags, std::uint32_t stream, std::string_view payload)
{
    return number(static_cast<std::uint32_t>(payload.size()), 3) + number(type, 1) + number(flags, 1) +
           number(stream, 4) + std::string{payload};
}

/// HPACK, RFC 7541 §5.1: an integer with a prefix of 7 bits.
inline std::string hpack_size(std::size_t size)
{
    if (size < 127) return {static_cast<char>(size)};
    std::string text{'\x7F'};
    for (size -= 127; size >= 128; size /= 128)
        text.push_back(static_cast<char>(size % 128 + 128));
    return text + static_cast<char>(size);
}

using Lines = std::vector<std::pair<std::string, std::string>>;

/// Literals without indexing (RFC 7541 §6.2.2), whatever they say.
inline std::string hpack(const Lines& lines)
{
    std::string block;
    for (const auto& [name, value] : lines)
        block += '\0' + hpack_size(name.size()) + name + hpack_size(value.size()) + value;
    return block;
}

inline std::string headers(std::uint32_t stream, const Lines& lines, unsigned flags = kEndHeaders | kEndStream)
{
    return frame(kHeaders, flags, stream, hpack(lines));
}

inline Lines get(std::string_view path = "/")
{
    return {{":method", "GET"}, {":scheme", "https"}, {":authority", "example.org"}, {":path", std::string{path}}};
}

inline Lines with(Lines lines, const Lines& more)
{
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
}

/// What a client sends first.
inline std::string hello(std::string_view settings = {})
{
    return std::string{kPreface} + frame(kSettings, kNone, 0, settings);
}

struct Frame {
    std::uint8_t type;
    std::uint8_t flags;
    std::uint32_t stream;
    std::string payload;

    /// The last four bytes of a RST_STREAM, or the code of a GOAWAY.
    [[nodiscard]] std::uint32_t code() const
    {
        std::uint32_t value = 0;
        for (const char c : payload.substr(type == kGoaway ? 4 : 0, 4))
            value = value << 8U | static_cast<unsigned char>(c);
        return value;
    }
};

inline std::vector<Frame> read_frames(std::string_view bytes)
{
    const auto octet = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
    std::vector<Frame> frames;
    while (bytes.size() >= 9) {
        const std::size_t size = octet(0) << 16U | octet(1) << 8U | octet(2);
        frames.push_back({static_cast<std::uint8_t>(octet(3)), static_cast<std::uint8_t>(octet(4)),
                          octet(5) << 24U | octet(6) << 16U | octet(7) << 8U | octet(8),
                          std::string{bytes.substr(9, size)}});
        bytes.remove_prefix(9 + size);
    }
    return frames;
}

} // namespace sallyport::http2::test
