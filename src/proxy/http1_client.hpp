// The client's end of HTTP/1.1 exchanges, one after the other over one connection.
#pragma once

#include <cstdint>
#include <string>

#include "sallyport/http/body_reader.hpp"
#include "sallyport/http/body_writer.hpp"
#include "sallyport/tls/tls_stream.hpp"
#include "stream.hpp"

namespace sallyport::proxy {

/// Lives while requests come without a pause; an idle connection has none.
///
/// Borrows: the connection's TlsStream, `unread` (what has come behind a head) and `out` (the shard's, for what is put
/// together within one turn).
class Http1Client final : public ClientStream {
public:
    Http1Client(tls::TlsStream& client, std::string& unread, std::string& out, const http::Limits& limits);

    /// A request's head has been read; its body is to come. `persists`: another one may follow.
    void begin(const http::RequestHead& head, bool persists);

    /// Something has come already, of this body or behind it: no wait is needed.
    [[nodiscard]] bool has_unread() const { return unread_at_ < unread_.size(); }
    /// For the next head: drops what has been read of `unread`.
    void forget_read();
    /// Another request may follow on this connection.
    [[nodiscard]] bool persists() const { return persists_ && reader_.ended(); }

    /// The connection ends by a reset.
    [[nodiscard]] bool aborted() const { return aborted_; }

    [[nodiscard]] net::Watch::Awaiter readable() override
    {
        drop_read();
        return client_.readable_or(has_unread());
    }
    [[nodiscard]] net::Watch::Awaiter writable() override { return client_.socket().writable(); }
    [[nodiscard]] net::Watch& watch() override { return client_.socket().watch(); }
    [[nodiscard]] bool broken() const override { return client_.broken(); }
    [[nodiscard]] Result<Piece> read(std::size_t most) override;
    [[nodiscard]] Result<Piece> arrived() override;
    [[nodiscard]] Result<void> write(const Piece& piece) override;
    [[nodiscard]] bool holds() const override { return client_.holds(); }
    [[nodiscard]] Result<void> send_held() override { return client_.socket().send_held(); }
    void begin_tunnel() override;
    void end_tunnel() override { client_.socket().finish_writing(); }
    void abort() override;
    void end_after_response() override { persists_ = false; }
    [[nodiscard]] bool request_ended() const override { return reader_.ended(); }
    [[nodiscard]] std::optional<http::Refusal> refusal() const override { return refusal_; }
    [[nodiscard]] Result<void> respond(const http::ResponseHead& head, const http::Edits& edits,
                                       const Piece& first) override;

private:
    [[nodiscard]] Result<Piece> take_unread();
    void drop_read();
    /// Little of what comes behind the body is read with it: it waits in memory for as long as the answer takes.
    [[nodiscard]] std::size_t within_body(std::size_t most) const;
    [[nodiscard]] Result<Piece> take(std::span<std::byte> input, std::size_t& taken);
    [[nodiscard]] Result<Piece> end_of_input();
    [[nodiscard]] Result<void> send_out(const Piece& piece);

    tls::TlsStream& client_;
    std::string& unread_;
    std::string& out_;
    std::size_t unread_at_{0};
    http::BodyReader reader_;
    http::BodyWriter writer_;
    http::Version version_{http::Version::http11};
    std::optional<http::Refusal> refusal_;
    bool persists_{true};
    bool tunnel_{false};
    bool aborted_{false};
};

} // namespace sallyport::proxy
