// The two ends of one exchange: what the client and the app are to it, whatever version of HTTP each speaks.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "sallyport/base/result.hpp"
#include "sallyport/base/socket_address.hpp"
#include "sallyport/http/head_writer.hpp"
#include "sallyport/http/request_head.hpp"
#include "sallyport/http/response_head.hpp"
#include "sallyport/net/timer_wheel.hpp"
#include "sallyport/net/watch.hpp"

namespace sallyport::proxy {

/// A part of a body, without its framing.
struct Piece {
    std::span<const std::byte> bytes{};
    bool end{false};                       ///< the body is complete; with it, the trailers of a chunked or HTTP/2 body
    const http::Fields* trailers{nullptr}; ///< Borrows: the stream that read them
};

/// One end. Bytes pass through it as they come: it keeps none but what its peer is too slow to take.
///
/// Thread: the shard's. Waiting: at most one coroutine reads and one writes. After a failure nothing more is asked of
/// it but `abort`.
class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    /// `co_await` them by name. They may return with nothing ready (Watch::wake); false: cancelled.
    [[nodiscard]] virtual net::Watch::Awaiter readable() = 0;
    [[nodiscard]] virtual net::Watch::Awaiter writable() = 0;
    /// To cancel or wake whoever waits.
    [[nodiscard]] virtual net::Watch& watch() = 0;
    /// The peer is gone in both directions.
    [[nodiscard]] virtual bool broken() const = 0;

    /// The next bytes of the peer's body: one receive of at most `most`, or what has come already. An empty piece
    /// without end: nothing yet. The bytes are valid until the next co_await. Errors: `truncated` (it ended before its
    /// body did), `reset`, `malformed`.
    [[nodiscard]] virtual Result<Piece> read(std::size_t most) = 0;

    /// The next bytes of the body towards the peer, framed as its head said. Sends what the peer takes and holds the
    /// rest: then, while `holds()`, wait for `writable()` and `send_held()`; write nothing meanwhile.
    [[nodiscard]] virtual Result<void> write(const Piece& piece) = 0;
    [[nodiscard]] virtual bool holds() const = 0;
    [[nodiscard]] virtual Result<void> send_held() = 0;

    /// From here on every byte is the tunnel's (101), and an end is a half-close: the other direction goes on.
    virtual void begin_tunnel() = 0;
    /// The tunnel's end towards the peer, after all of it has been sent.
    virtual void end_tunnel() = 0;

    /// The peer must not take what it got for a whole message: a reset.
    virtual void abort() = 0;
};

/// Towards the client. Its request's head has been read before this exists.
class ClientStream : public Stream {
public:
    /// The whole body of the request has been read.
    [[nodiscard]] virtual bool request_ended() const = 0;
    /// Why `read` called it malformed.
    [[nodiscard]] virtual std::optional<http::Refusal> refusal() const = 0;
    /// What has come of it together with its head, without a wait or a system call; else an empty piece.
    [[nodiscard]] virtual Result<Piece> arrived() = 0;

    /// The response's head and the first bytes of its body. An interim one (1xx) has none, and another head follows.
    [[nodiscard]] virtual Result<void> respond(const http::ResponseHead& head, const http::Edits& edits,
                                               const Piece& first) = 0;
    /// HTTP/1.1: the response that follows is the connection's last.
    virtual void end_after_response() = 0;
};

/// Towards the app.
class AppStream : public Stream {
public:
    /// Sends the request's head and the first bytes of its body.
    [[nodiscard]] virtual Result<void> request(const http::RequestHead& head, const http::Edits& edits,
                                               const Piece& first) = 0;

    struct Head {
        const http::ResponseHead* head{nullptr}; ///< nullptr: not yet. Borrows: valid until the next co_await
        Piece first{};                           ///< of the body, what has come with it; none after an interim head
    };
    /// The next head of the response. After the last one (not interim), `read` yields the rest of the body.
    [[nodiscard]] virtual Result<Head> receive_head() = 0;
    /// To be called before a wait that comes between two heads: what has come already is kept.
    virtual void keep() = 0;

    /// Not one byte of a response has come: the app may never have seen the request.
    [[nodiscard]] virtual bool silent() const = 0;
    /// The app has told that it did nothing with it: it may be asked again, whatever the method (RFC 9113 §8.7).
    [[nodiscard]] virtual bool unprocessed() const { return false; }
    /// The exchange ends because nothing of it has moved since then, by the app's fault.
    virtual void let_time_pass(net::Tick /*since*/) {}
    /// It had carried another exchange before.
    [[nodiscard]] virtual bool reused() const = 0;
    [[nodiscard]] virtual const SocketAddress& address() const = 0;
    /// The exchange is over in good order: the connection may carry another one.
    virtual void finish() = 0;

protected:
    /// What the app is called by an HTTP/1.0 client that named no host: as by who reaches it directly. Else empty.
    [[nodiscard]] std::string host_for_nobody(const http::RequestHead& head) const
    {
        if (!head.authority.empty()) return {};
        return address().is_unix() ? "localhost" : address().text();
    }
};

} // namespace sallyport::proxy
