// The app's end of one exchange over HTTP/1.1.
#pragma once

#include <string>

#include "sallyport/http/body_reader.hpp"
#include "sallyport/http/body_writer.hpp"
#include "sallyport/tls/scratch.hpp"
#include "sallyport/upstream/upstream.hpp"
#include "stream.hpp"

namespace sallyport::proxy {

/// What an exchange has of its shard for as long as it lasts, kept warm for the next one.
struct Http1AppBuffers {
    http::ResponseHead head;
    std::string kept; ///< what has come and could not be used yet
};

/// Owns: the connection, until `finish` gives it back. Borrows: the rest. Thread: the shard's.
class Http1App final : public AppStream {
public:
    /// What it needs of its shard.
    struct Surroundings {
        tls::Scratch& scratch;
        net::HoldBudget& budget;
        std::string& out; ///< for what is put together within one turn
    };

    Http1App(upstream::Upstream& upstream, upstream::AppConnectionPtr connection, Http1AppBuffers& buffers,
             const Surroundings& around, const http::Limits& limits);

    [[nodiscard]] net::Watch::Awaiter readable() override { return watch().readable_or(kept_for_now_); }
    [[nodiscard]] net::Watch::Awaiter writable() override { return socket().writable(); }
    [[nodiscard]] net::Watch& watch() override { return socket().watch(); }
    [[nodiscard]] bool broken() const override { return connection_->socket().broken(); }
    [[nodiscard]] Result<Piece> read(std::size_t most) override;
    [[nodiscard]] Result<void> write(const Piece& piece) override;
    [[nodiscard]] bool holds() const override { return connection_->socket().holds(); }
    [[nodiscard]] Result<void> send_held() override { return socket().send_held(); }
    void begin_tunnel() override;
    void end_tunnel() override { socket().finish_writing(); }
    void abort() override { socket().reset_on_close(); }
    [[nodiscard]] Result<void> request(const http::RequestHead& head, const http::Edits& edits,
                                       const Piece& first) override;
    [[nodiscard]] Result<Head> receive_head() override;
    void keep() override;
    [[nodiscard]] bool silent() const override { return silent_; }
    [[nodiscard]] bool reused() const override { return connection_->reused(); }
    [[nodiscard]] const SocketAddress& address() const override { return connection_->address(); }
    void finish() override;

private:
    [[nodiscard]] net::Socket& socket() { return connection_->socket(); }
    [[nodiscard]] const net::Socket& socket() const { return connection_->socket(); }
    [[nodiscard]] Result<net::Arrival> receive(std::size_t most);
    [[nodiscard]] std::span<std::byte> unread();
    void drop(std::size_t size);
    [[nodiscard]] Result<Head> parse(std::size_t size);
    [[nodiscard]] Result<Piece> take_unread();

    upstream::Upstream& upstream_;
    upstream::AppConnectionPtr connection_;
    Http1AppBuffers& buffers_;
    Surroundings around_;
    http::Limits limits_;
    http::HeadScanner scanner_;
    http::BodyReader reader_;
    http::BodyWriter writer_;
    http::Method asked_{http::Method::other};
    std::span<std::byte> fresh_; ///< in the scratch, before a wait; else it is in `kept`
    std::size_t kept_at_{0};
    bool kept_for_now_{false}; ///< what is kept has not been looked at: no wait is needed
    bool silent_{true};
    bool sent_all_{false};
    bool tunnel_{false};
};

} // namespace sallyport::proxy
