#include "sallyport/http/websocket_frames.hpp"

#include <algorithm>

#include "characters.hpp"

namespace sallyport::http {

namespace {

constexpr std::byte kOpcode{0x0f};
constexpr std::byte kClose{0x08};
constexpr std::byte kMasked{0x80};
constexpr std::byte kLength{0x7f};

} // namespace

std::size_t WebSocketFrames::pass(std::span<const std::byte> bytes)
{
    std::size_t whole = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        if (left_ > 0) {
            const auto size = std::min<std::uint64_t>(left_, bytes.size() - at);
            left_ -= size;
            at += static_cast<std::size_t>(size);
        } else {
            take_head_byte(bytes[at++]);
        }
        if (at_boundary()) whole = at;
    }
    return whole;
}

void WebSocketFrames::take_head_byte(std::byte byte)
{
    head_[head_size_++] = byte;
    if (head_size_ < head_needs()) return;
    closing_ = closing_ || (head_[0] & kOpcode) == kClose;
    const std::size_t length_bytes = head_needs() - 2 - ((head_[1] & kMasked) != std::byte{} ? 4 : 0);
    left_ = std::to_integer<std::uint64_t>(head_[1] & kLength);
    if (length_bytes > 0) left_ = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        left_ = left_ << 8U | std::to_integer<std::uint64_t>(head_[2 + i]);
    head_size_ = 0;
}

std::size_t WebSocketFrames::head_needs() const
{
    if (head_size_ < 2) return 2;
    const auto length = std::to_integer<unsigned>(head_[1] & kLength);
    const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    return 2 + more + ((head_[1] & kMasked) != std::byte{} ? 4 : 0);
}

bool is_websocket(std::string_view upgrade)
{
    return equal_but_for_case(upgrade, "websocket");
}

} // namespace sallyport::http
