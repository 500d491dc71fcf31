// Where the frames of a WebSocket begin and end (RFC 6455 §5.2): so that a tunnel can be ended between two of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::http {

/// One direction of a WebSocket. Reads the lengths of frames and nothing else: what is in them is the peers' business,
/// and a nonsensical length merely keeps the boundary away. Holds no bytes.
class WebSocketFrames {
public:
    /// These bytes are next. How many of them belong to whole frames: what follows is the beginning of another one.
    [[nodiscard]] std::size_t pass(std::span<const std::byte> bytes);

    /// The next byte begins a frame. A control frame may stand there, even within a message (§5.4).
    [[nodiscard]] bool at_boundary() const { return head_size_ == 0 && left_ == 0; }
    /// A Close frame has begun: nothing may follow it (§5.5.1).
    [[nodiscard]] bool closing() const { return closing_; }

private:
    void take_head_byte(std::byte byte);
    [[nodiscard]] std::size_t head_needs() const;

    std::array<std::byte, 14> head_{}; ///< of the frame that has begun
    std::uint8_t head_size_{0};        ///< how much of it has come; 0: it is whole, or none has begun
    std::uint64_t left_{0};            ///< of the frame's payload
    bool closing_{false};
};

/// Whether `RequestHead::upgrade` asks for it, and for nothing else (RFC 6455 §4.1).
[[nodiscard]] bool is_websocket(std::string_view upgrade);

/// A server's Close frame that says "going away" (1001), without a reason.
inline constexpr std::array kGoingAway{std::byte{0x88}, std::byte{0x02}, std::byte{0x03}, std::byte{0xe9}};

} // namespace sallyport::http
