// One exchange on an HTTP/2 connection, as its session keeps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sallyport/http/fields.hpp"
#include "sallyport/http2/byte_queue.hpp"
#include "sallyport/http2/code.hpp"

namespace sallyport::http2 {

/// What both sides have in common. Owned by its session, and valid until it is given back (`Session::release`), though
/// the peer or the connection may have ended it long before.
class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    void* user{nullptr}; ///< the caller's; nullptr on a new stream

    [[nodiscard]] std::int32_t id() const { return id_; }

    /// Body bytes of the peer's that have come and are not taken. At most the stream's window.
    /// Valid until the session is fed or told to `take`.
    [[nodiscard]] std::span<const std::byte> arrived() const { return incoming_.bytes(); }
    /// The peer has ended its message in good order: nothing comes after `arrived()`.
    [[nodiscard]] bool arrived_all() const { return remote_ended_; }
    /// After `arrived_all()`: without what a trailer cannot say (kNeverInTrailers).
    [[nodiscard]] const http::Fields& trailers() const { return trailers_; }

    /// Bytes given to `send` that wait for the peer's windows, or for the next `pull`.
    [[nodiscard]] std::size_t unsent() const { return outgoing_.size(); }

    /// Set if the stream ended before both messages had: by RST_STREAM, or with the connection. What is sent from then
    /// on is dropped; what has arrived can still be taken.
    [[nodiscard]] std::optional<Code> broken() const { return broken_; }

protected:
    /// For a new exchange; keeps its memory.
    void restart();

private:
    friend class Session;
    friend struct Callbacks; // src/http2/callbacks.cpp: what nghttp2 calls

    std::int32_t id_{0};
    bool open_{false};         ///< nghttp2 knows it
    bool held_{false};         ///< the caller knows it
    bool head_arrived_{false}; ///< what comes in HEADERS from now on are trailers
    bool head_sent_{false};    ///< the last one, not an interim
    bool deferred_{false};     ///< nghttp2 asked for bytes when there were none
    bool finishing_{false};    ///< our message ends with what is queued
    bool local_ended_{false};
    bool remote_ended_{false};
    bool discards_{false}; ///< nobody takes what still comes
    bool is_news_{false};
    std::optional<Code> broken_;
    ByteQueue incoming_;
    ByteQueue outgoing_;
    std::span<const std::byte> lent_; ///< by the caller of `send`, until that returns
    std::string trailer_text_;
    http::Fields trailers_;
    std::string own_trailers_; ///< ours: name, NUL, value, NUL, …
    Stream* next_{nullptr};
    Stream** link_{nullptr};
};

} // namespace sallyport::http2
