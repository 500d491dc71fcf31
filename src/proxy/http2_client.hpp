// The client's end of one exchange over HTTP/2: one stream of its connection.
#pragma once

#include <cstdint>

#include "sallyport/http2/server_session.hpp"
#include "stream.hpp"

namespace sallyport::proxy {

class Exchange;
class Http2Session;

/// Borrows: the connection's session, and its stream, which the session keeps until `Http2Session` releases it.
class Http2Client final : public ClientStream {
public:
    Http2Client(Http2Session& session, http2::ServerStream& stream);
    ~Http2Client() override;

    /// The exchange that this is an end of: told when the client withdraws.
    void serve(Exchange& exchange) { exchange_ = &exchange; }
    [[nodiscard]] Exchange* exchange() const { return exchange_; }
    /// The session has news of the stream: whoever waits goes on. May end the exchange, and destroy this.
    void have_news();

    [[nodiscard]] net::Watch::Awaiter readable() override;
    [[nodiscard]] net::Watch::Awaiter writable() override { return watch_.writable_if(!holds() || broken()); }
    [[nodiscard]] net::Watch& watch() override { return watch_; }
    [[nodiscard]] bool broken() const override { return stream_.broken().has_value(); }
    [[nodiscard]] Result<Piece> read(std::size_t) override;
    [[nodiscard]] Result<void> write(const Piece& piece) override;
    [[nodiscard]] bool holds() const override { return stream_.unsent() > kUnsentMax; }
    [[nodiscard]] Result<void> send_held() override { return check(); }
    void begin_tunnel() override { tunnel_ = true; }
    void end_tunnel() override;
    void abort() override;

    [[nodiscard]] bool request_ended() const override;
    [[nodiscard]] Result<Piece> arrived() override;
    [[nodiscard]] Result<void> respond(const http::ResponseHead& head, const http::Edits& edits,
                                       const Piece& first) override;
    void end_after_response() override {}
    [[nodiscard]] std::optional<http::Refusal> refusal() const override { return std::nullopt; }

    Http2Client* older{nullptr}; ///< of the connection's exchanges
    Http2Client** link{nullptr};

private:
    /// What may wait for its turn without holding the app up: several frames, so that every write has some.
    static constexpr std::size_t kUnsentMax = 64 * 1024;

    /// The request of a tunnel has no body: what comes is for the tunnel, once there is one.
    [[nodiscard]] bool awaits_tunnel() const { return !tunnel_ && !stream_.head().upgrade.empty(); }
    [[nodiscard]] Result<void> check() const;
    [[nodiscard]] Result<void> send(const Piece& piece);
    [[nodiscard]] Result<Piece> next();
    void take_read();

    Http2Session& session_;
    http2::ServerStream& stream_;
    Exchange* exchange_{nullptr};
    net::Watch watch_; ///< of no descriptor: `have_news` wakes its waiters
    const http::NameSet* removed_{nullptr};
    std::size_t read_{0}; ///< of what has arrived, the bytes that were handed out and are not taken yet
    bool tunnel_{false};
};

} // namespace sallyport::proxy
