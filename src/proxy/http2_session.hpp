// A client's HTTP/2 connection: what its exchanges have in common.
#pragma once

#include <cstddef>
#include <span>

#include "bell.hpp"
#include "http_connection.hpp"
#include "sallyport/http2/server_session.hpp"
#include "sallyport/site/reason.hpp"

namespace sallyport::proxy {

class Http2Client;

/// Its story is `serve_http2`. Lives in the coroutine that serves the connection, and ends after all exchanges have.
/// Thread: the shard's.
class Http2Session final : public HttpSession {
public:
    explicit Http2Session(HttpConnection& connection);
    ~Http2Session() override;

    void cancel() override;
    void drain() override;
    void expired() override;

    HttpConnection& c;
    http2::ServerSession frames;

    /// There are frames to write: they go out together, at the end of the turn.
    void ring() { written_.ring(); }
    /// Body bytes. Large ones go out at once, spared a copy.
    void send(http2::ServerStream& stream, std::span<const std::byte> bytes);
    /// Writes what the client takes. False: it takes no more now.
    [[nodiscard]] bool flush();
    /// The client is gone, or may as well be: nothing is written any more, and every exchange ends, in this turn.
    void lose(const Error& error);
    /// Looks at what has become of the streams: begins exchanges, and wakes those that wait.
    void look_at_news();
    /// Why streams break that nobody has reset.
    [[nodiscard]] site::Reason reason_of_end() const;

    void enlist(Http2Client& client);
    void dismiss(Http2Client& client, http2::ServerStream& stream);

    /// It only goes on.
    enum class Life : std::uint8_t {
        serving,
        draining, ///< the client is told to begin nothing new: what has begun goes on
        flushing, ///< nothing is read any more: what was said goes out
        lost      ///< nor written
    };
    [[nodiscard]] bool reads() const { return life_ < Life::flushing; }
    [[nodiscard]] bool lost() const { return life_ == Life::lost; }

    /// For the coroutine that writes; that reads, while the client takes nothing; and that waits for the exchanges'
    /// end.
    [[nodiscard]] Bell& written() { return written_; }
    [[nodiscard]] Bell& taken() { return taken_; }
    [[nodiscard]] Bell& emptied() { return emptied_; }
    [[nodiscard]] bool empty() const { return newest_ == nullptr; }

private:
    void go_to(Life next);
    void arm();
    void wake_both();
    [[nodiscard]] std::size_t untaken() const;

    Bell written_;
    Bell taken_;
    Bell emptied_;
    net::HoldShare share_;
    Http2Client* newest_{nullptr};
    std::size_t untaken_{0}; ///< when the deadline was set
    Life life_{Life::serving};
};

} // namespace sallyport::proxy
