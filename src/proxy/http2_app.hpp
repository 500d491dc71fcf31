// The app's end of one exchange over h2c: one stream of a connection that it shares with others.
#pragma once

#include <cstddef>
#include <memory>

#include "http2_app_connection.hpp"
#include "sallyport/crypto/websocket_proof.hpp"
#include "stream.hpp"

namespace sallyport::proxy {

/// Borrows: the connection, which stays as long as this. Thread: the shard's.
class Http2App final : public AppStream {
public:
    explicit Http2App(Http2AppConnection& connection);
    ~Http2App() override;

    /// The session has news of the stream: whoever waits goes on. May destroy this.
    void have_news();

    [[nodiscard]] net::Watch::Awaiter readable() override;
    [[nodiscard]] net::Watch::Awaiter writable() override { return watch_.writable_if(!holds() || is_lost()); }
    [[nodiscard]] net::Watch& watch() override { return watch_; }
    [[nodiscard]] bool broken() const override { return is_lost(); }
    [[nodiscard]] Result<Piece> read(std::size_t) override;
    [[nodiscard]] Result<void> write(const Piece& piece) override;
    [[nodiscard]] bool holds() const override { return stream_ != nullptr && stream_->unsent() > kUnsentMax; }
    [[nodiscard]] Result<void> send_held() override { return check(); }
    void begin_tunnel() override {}
    void end_tunnel() override;
    void abort() override;

    [[nodiscard]] Result<void> request(const http::RequestHead& head, const http::Edits& edits,
                                       const Piece& first) override;
    [[nodiscard]] Result<Head> receive_head() override;
    void keep() override {}
    [[nodiscard]] bool silent() const override { return stream_ == nullptr || stream_->head() == nullptr; }
    [[nodiscard]] bool reused() const override { return reused_; }
    void let_time_pass(net::Tick since) override { connection_.doubt(since); }
    [[nodiscard]] bool unprocessed() const override { return stream_ != nullptr && stream_->can_be_replayed(); }
    [[nodiscard]] const SocketAddress& address() const override { return connection_.address(); }
    void finish() override {}

private:
    /// What may wait for its turn without holding the client up.
    static constexpr std::size_t kUnsentMax = 64 * 1024;

    [[nodiscard]] bool is_lost() const { return stream_ != nullptr && stream_->broken().has_value(); }
    [[nodiscard]] Result<void> check() const;
    [[nodiscard]] bool becomes_tunnel(const http::RequestHead& head);
    [[nodiscard]] const http::ResponseHead& shown(const http::ResponseHead& head) const;
    [[nodiscard]] Result<Piece> next();
    void take_read();
    void pass_seen();

    Http2AppConnection& connection_;
    http2::ClientStream* stream_{nullptr};
    const http::NameSet* removed_{nullptr};
    net::Watch watch_; ///< of no descriptor: `have_news` wakes its waiters
    std::size_t read_{0};
    bool reused_;
    const http::ResponseHead* seen_{nullptr}; ///< the head that was handed out last
    /// Of a WebSocket that an HTTP/1.1 client wants: what it is shown of the app's answer.
    struct Opening {
        crypto::WebSocketProof proof;
        http::ResponseHead head;
    };
    std::unique_ptr<Opening> opening_;
};

} // namespace sallyport::proxy
