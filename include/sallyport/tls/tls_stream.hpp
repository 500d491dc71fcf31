// The client's side of a connection: handshake, plain text in and out, close_notify, over one socket.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "sallyport/net/socket.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/tls/handshake_facts.hpp"
#include "sallyport/tls/scratch.hpp"
#include "sallyport/tls/ssl_handle.hpp"

namespace sallyport::tls {

/// Plain text from the client.
struct Plain {
    std::span<const std::byte> bytes; ///< in the shard's scratch: valid until the next co_await; may be empty
    bool end{false};                  ///< the client has sent close_notify; nothing comes after these bytes
};

/// Owns: the socket and the SSL. Borrows: the shard's scratch, which holds every byte on its way; an idle connection
/// keeps no buffer. Thread: the shard's. All errors are of Side::client unless said.
class TlsStream {
public:
    TlsStream(UniqueFd fd, SslHandle ssl, Scratch& scratch, net::EventLoop& loop, net::HoldBudget& budget);

    /// Ends when the handshake is done, has failed (its alert is sent) or was cancelled (`aborted`).
    /// A key that cannot sign now is Side::self.
    [[nodiscard]] net::Task<Result<void>> handshake();

    /// There is something to receive, or false: cancelled.
    [[nodiscard]] net::Watch::Awaiter readable() { return socket_.watch().readable_or(early_ != nullptr); }

    /// One recv(2), and all complete records in it. Errors: `truncated` (FIN without close_notify), `reset`,
    /// `malformed` (a record that does not decrypt; the alert is sent).
    [[nodiscard]] Result<Plain> receive();

    /// Encrypts all of it (at most Scratch::kPlain; nothing may be held) and sends what the socket takes at once.
    /// Then, while `socket().holds()`: wait for `socket().writable()` and `socket().send_held()`.
    [[nodiscard]] Result<void> send(std::span<const std::byte> plain);

    /// Sends close_notify; the caller lets the socket send what it holds and then `socket().finish_writing()`.
    [[nodiscard]] Result<void> send_close_notify();

    [[nodiscard]] net::Socket& socket() { return socket_; }
    [[nodiscard]] HandshakeFacts facts() const { return handshake_facts(ssl_.get()); }
    /// Why the handshake or a record failed, in OpenSSL's terms; static text, else empty.
    [[nodiscard]] std::string_view reason() const { return reason_; }
    /// Not one byte has come from the client: a probe.
    [[nodiscard]] bool silent() const { return silent_; }

private:
    enum class Step : std::uint8_t { done, wants_input, failed };
    [[nodiscard]] Step step_handshake();
    [[nodiscard]] Result<bool> feed_handshake();
    [[nodiscard]] Result<Plain> decrypt(std::span<const std::byte> cipher);
    [[nodiscard]] std::unexpected<Error> explain_failure(std::string_view doing);
    [[nodiscard]] Result<void> send_output();
    void keep_unread();

    net::Socket socket_;
    SslHandle ssl_;
    Scratch& scratch_;
    std::unique_ptr<std::byte[]> early_; ///< came with the end of the handshake; read first
    std::size_t early_size_{0};
    std::string_view reason_;
    bool silent_{true};
};

} // namespace sallyport::tls
