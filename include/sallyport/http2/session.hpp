// One HTTP/2 connection without its I/O: bytes in, streams with news out; heads and bodies in, frames out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "sallyport/base/result.hpp"
#include "sallyport/http/head_scanner.hpp"
#include "sallyport/http/name_set.hpp"
#include "sallyport/http2/stream.hpp"

namespace sallyport::http2 {

struct Options {
    http::Limits limits{};
    std::uint32_t streams_max{100}; ///< at once
    /// How much of a body the peer may send before it is taken: of one stream, and of all together (at least 65,535).
    std::uint32_t stream_window{256 * 1024};
    std::uint32_t connection_window{1024 * 1024};
};

/// What a caller does, once per turn of its loop:
///
///     session.feed(bytes, now);                                   // in steps of kFeedMax
///     while (Stream* stream = session.next_news()) …              // look at it, resume who waits for it
///     while (session.has_output()) … session.pull(buffer) …       // and send that
///
/// No member calls back: whoever is told of news may call anything, whenever. While the peer does not read, do not
/// feed: then what is held for it is bounded by one feed, and by what callers send without looking at `unsent()`.
///
/// Floods (rapid reset, CONTINUATION, SETTINGS, PING, empty DATA, WINDOW_UPDATE …) end the connection with
/// ENHANCE_YOUR_CALM.
///
/// Owns: the streams. Thread: one at a time.
class Session {
public:
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session();

    /// What one feed may make us say is bounded by its size.
    static constexpr std::size_t kFeedMax = 16 * 1024;
    /// `pull` needs this much room for a whole frame.
    static constexpr std::size_t kPullMin = 16 * 1024 + 9;

    /// At most kFeedMax bytes from the peer. `now`: milliseconds of a steady clock.
    void feed(std::span<const std::byte> bytes, std::uint64_t now);

    /// The next stream that has something new (a head, bytes, an end, less unsent, broken), or nullptr.
    [[nodiscard]] Stream* next_news();

    [[nodiscard]] bool has_output() const;
    /// Frames for the peer, as many as fit; `into` has at least kPullMin bytes. How much of it was used.
    [[nodiscard]] std::size_t pull(std::span<std::byte> into);

    /// Set by `feed` or `pull`: the peer broke the protocol (Fault::malformed) or flooded us (Fault::forbidden).
    /// `doing` says what it did. All streams are then broken, and the output ends with the GOAWAY: send it, and close.
    [[nodiscard]] const std::optional<Error>& failure() const;

    /// The first `size` bytes of `arrived()` are done with: the peer may send as many again.
    void take(Stream& stream, std::size_t size);

    /// Body bytes for the peer. Large ones, as far as its windows and `into` have room for them, are written there at
    /// once, without a copy in between, and maybe other streams' frames before them. The rest is kept; when all of it
    /// has gone, that is news. `into` may be smaller than kPullMin, and empty: all is kept. Returns how much of `into`
    /// was used.
    [[nodiscard]] std::size_t send(Stream& stream, std::span<const std::byte> bytes, std::span<std::byte> into = {});
    /// The body ends after what was sent, with these trailers (nullptr: none) but those that the route removes.
    /// Does nothing where it has ended: where the head said so. Borrows nothing.
    void finish(Stream& stream, const http::Fields* trailers = nullptr, const http::NameSet* removed = nullptr);
    /// Ends the stream at once (RST_STREAM).
    void reset(Stream& stream, Code code);
    /// Nobody wants what still comes of the peer's body: it is dropped, and its windows opened.
    void discard(Stream& stream);
    /// The caller is done with it. If its own message has ended, that is still sent, and a peer that goes on with its
    /// body is then told to stop (RFC 9113 §8.1); if not, the stream is reset with `cancel`.
    void release(Stream& stream);

    /// Ends in good order: the peer is told to begin nothing new (a server: GOAWAY twice, as RFC 9113 §6.8 has it);
    /// what has begun goes on. Then `ended()`.
    void drain();
    /// Ends at once: GOAWAY with this code, all streams broken.
    void end(Code code);
    /// Nothing more will be said by either side: send what output there is, and close.
    [[nodiscard]] bool ended() const;
    [[nodiscard]] bool draining() const;
    /// The peer has sent GOAWAY.
    [[nodiscard]] bool peer_drains() const;

    /// Streams that a caller holds.
    [[nodiscard]] std::size_t streams_held() const;
    /// What is kept of bodies, both ways.
    [[nodiscard]] std::size_t bytes_held() const;

protected:
    enum class Role : std::uint8_t { server, client };
    Session(Role role, const Options& options);

    struct State; // src/http2/state.hpp
    [[nodiscard]] State& state() { return *state_; }
    [[nodiscard]] const State& state() const { return *state_; }

    void adopt(Stream& stream, std::int32_t id);
    void hold(Stream& stream);
    void note_news(Stream& stream);
    void drop_news(Stream& stream);
    void mark_broken(Stream& stream, Code code);
    [[nodiscard]] static bool can_send_head(const Stream& stream);
    void mark_head_sent(Stream& stream, bool has_body);
    /// For derived destructors: every stream goes back to its pool.
    void release_all();

private:
    friend struct Callbacks;

    /// The peer begins a stream; nullptr: it does not (a client's).
    virtual Stream* begin_stream(std::int32_t id) = 0;
    /// A header block that is no trailer section is complete: `state().block`. False: it was an interim head.
    virtual bool head_arrived(Stream& stream, bool ended) = 0;
    /// Where a block's bytes go until the stream is released.
    virtual std::string& head_text(Stream& stream) = 0;
    /// It has ended too early, by this code and not by our doing.
    virtual void cut_short(Stream& stream, Code code) = 0;
    virtual void give_back(Stream& stream) = 0;

    void fail(Fault fault, Code code, std::string_view reason);
    void end_if_flooded();
    void note_own_goaway(Code code);
    void break_all(Code code);
    void wake_source(Stream& stream);
    void forget(Stream& stream);

    std::unique_ptr<State> state_;
};

} // namespace sallyport::http2
