// A message's body, taken out of its framing as it arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "sallyport/http/chunked_decoder.hpp"
#include "sallyport/http/message.hpp"

namespace sallyport::http {

/// One body at a time. It holds no bytes. Thread: its owner's.
class BodyReader {
public:
    struct Taken {
        std::size_t size;           ///< how much of the input is done with; the rest is the next message's
        std::span<std::byte> bytes; ///< of the body: a part of the input, where it may have been moved together
    };

    explicit BodyReader(const Limits& limits) : chunks_{limits} {}

    /// For the next body.
    void begin(const Framing& framing);
    /// No more framing: every byte that comes is body, until the peer ends (a tunnel).
    void begin_tunnel() { begin({Framing::Kind::until_close}); }

    /// Takes the whole input, or up to the body's end. May write into the input.
    [[nodiscard]] std::expected<Taken, Refusal> take(std::span<std::byte> input);

    /// How much of what comes next can be this body's at most; nothing: nobody knows before it is read (chunked).
    [[nodiscard]] std::optional<std::uint64_t> left() const;

    /// The body is complete, trailers included. One until close never is: see `ends_with_connection`.
    [[nodiscard]] bool ended() const { return ended_; }
    /// The peer's end is the body's; for every other body that has not ended it cuts it short.
    [[nodiscard]] bool ends_with_connection() const { return kind_ == Framing::Kind::until_close; }

    /// After the end; empty unless it was chunked. Borrows: this.
    [[nodiscard]] const Fields& trailers() const { return chunks_.trailers(); }

private:
    [[nodiscard]] std::expected<Taken, Refusal> take_chunks(std::span<std::byte> input);

    ChunkedDecoder chunks_;
    std::uint64_t left_{0}; ///< by length
    Framing::Kind kind_{Framing::Kind::none};
    bool ended_{true};
};

} // namespace sallyport::http
