// One h2c connection to an app, which carries many exchanges at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bell.hpp"
#include "sallyport/http2/client_session.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/upstream/app_connection.hpp"

namespace sallyport::proxy {

class Http2Apps;

/// Its coroutine reads, tells the exchanges, and writes, once per turn in which there was something to do.
///
/// Owns: the connection. Owned by its Http2Apps, which drops it when it has ended and nobody uses it.
/// Thread: the shard's.
class Http2AppConnection final : private net::Watch::Observer, private net::Deadline {
public:
    Http2AppConnection(Http2Apps& apps, upstream::AppConnectionPtr connection);
    ~Http2AppConnection() override;

    http2::ClientSession frames;

    /// Frames are to be written, at the end of this turn.
    void ring() { bell_.ring(); }
    /// Body bytes. Large ones go out at once, spared a copy.
    void send(http2::ClientStream& stream, std::span<const std::byte> bytes);
    /// For one more exchange, besides those that have begun and not asked yet.
    [[nodiscard]] bool has_room() const
    {
        return !lost_ && !connection_->is_gone() && frames.room() > users_ - asking_;
    }
    [[nodiscard]] std::uint32_t users() const { return users_; }
    /// It is known what the app takes, or that nothing will be known.
    [[nodiscard]] bool is_settled() const { return lost_ || frames.has_settings(); }
    /// Why it ended, if it did.
    [[nodiscard]] const std::optional<Error>& cause() const { return cause_; }
    [[nodiscard]] const SocketAddress& address() const { return connection_->address(); }
    [[nodiscard]] bool served_before() const { return served_ > 1; }

    void begin_exchange();
    [[nodiscard]] http2::ClientStream& ask(const http::RequestHead& head, const http::RequestOptions& options,
                                           http2::ClientSession::Follows follows);
    /// `stream`: if it came to that.
    void end_exchange(http2::ClientStream* stream);
    /// Ends when nobody uses it.
    void keep_no_more();
    /// An exchange has waited in vain since then. If the app has sent nothing at all meanwhile, it may have vanished
    /// without a word: nobody begins another exchange here.
    void doubt(net::Tick since);
    /// Nobody uses it, nor is anything of it called any more.
    [[nodiscard]] bool ended() const { return ended_; }

private:
    void became_ready() override { ring(); }
    void expired() override;
    void arm();

    [[nodiscard]] net::Task<void> run();
    void receive();
    void write();
    void flush();
    void look_at_news();
    void lose(const Error& error);

    Http2Apps& apps_;
    upstream::AppConnectionPtr connection_;
    Bell bell_;
    net::HoldShare share_;
    std::optional<Error> cause_;
    std::uint32_t users_{0};
    std::uint32_t asking_{0}; ///< of them, those with a stream
    std::uint64_t served_{0};
    net::Tick heard_at_{0}; ///< when the app has sent something last
    bool lost_{false};
    bool told_settled_{false};
    bool ended_{false};       ///< its coroutine: until then a bell may have called it for the next turn
    net::Task<void> running_; ///< last: its frame refers to the rest
};

} // namespace sallyport::proxy
