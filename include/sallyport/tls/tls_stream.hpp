// The client's side of a connection: handshake, plain text in and out, close_notify, over one socket. Without TLS the
// same calls pass the bytes as they are, so that one story serves both kinds of listener.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "sallyport/net/socket.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/tls/handshake_facts.hpp"
#include "sallyport/tls/scratch.hpp"
#include "sallyport/tls/server_contexts.hpp"
#include "sallyport/tls/ssl_handle.hpp"

namespace sallyport::tls {

/// Plain text from the client.
struct Plain {
    std::span<std::byte> bytes; ///< in the shard's scratch: valid until the next co_await; may be empty
    bool end{false};            ///< the client has sent close_notify; nothing comes after these bytes but the same
};

/// Owns: the socket and the SSL. Borrows: the shard's scratch, which holds every byte on its way; an idle connection
/// keeps no buffer. Thread: the shard's. All errors are of Side::client unless said.
class TlsStream {
public:
    /// `contexts`: none means that the client speaks plain text. Whatever is in them when the client's first byte comes
    /// serves the handshake; they must outlive it.
    TlsStream(UniqueFd fd, const std::optional<ServerContexts>& contexts, Scratch& scratch, net::EventLoop& loop,
              net::HoldBudget& budget);

    /// Ends when the handshake is done, has failed (its alert is sent) or was cancelled (`aborted`).
    /// A key that cannot sign now is Side::self.
    [[nodiscard]] net::Task<Result<void>> handshake();

    /// There is something to receive, or false: cancelled.
    [[nodiscard]] net::Watch::Awaiter readable() { return readable_or(false); }
    /// The same, but `already` does not wait.
    [[nodiscard]] net::Watch::Awaiter readable_or(bool already)
    {
        return socket_.watch().readable_or(already || early_ != nullptr || ended_);
    }

    /// One recv(2), and all complete records in it. Errors: `truncated` (FIN without close_notify), `reset`,
    /// `malformed` (a record that does not decrypt; the alert is sent).
    /// `most`: of ciphertext; what is left comes with the next call, without a wait.
    [[nodiscard]] Result<Plain> receive(std::size_t most);

    /// Encrypts all of it (nothing may be held) and sends what the socket takes at once.
    /// Then, while `socket().holds()`: wait for `socket().writable()` and `socket().send_held()`.
    [[nodiscard]] Result<void> send(std::span<const std::byte> plain);

    /// Sends close_notify; the caller lets the socket send what it holds and then `socket().finish_writing()`.
    [[nodiscard]] Result<void> send_close_notify();

    [[nodiscard]] net::Socket& socket() { return socket_; }
    [[nodiscard]] bool broken() const { return socket_.broken(); }
    [[nodiscard]] bool holds() const { return socket_.holds(); }
    [[nodiscard]] bool encrypted() const { return contexts_ != nullptr; }
    /// Empty without TLS, and before its first byte.
    [[nodiscard]] HandshakeFacts facts() const { return ssl_ ? handshake_facts(ssl_.get()) : HandshakeFacts{}; }
    [[nodiscard]] std::string_view protocol() const { return ssl_ ? agreed_protocol(ssl_.get()) : std::string_view{}; }
    /// As OpenSSL calls it, which the PROXY protocol wants.
    [[nodiscard]] std::string_view cipher_name() const
    {
        return ssl_ ? tls::cipher_name(ssl_.get()) : std::string_view{};
    }
    [[nodiscard]] std::string_view server_name() const
    {
        return ssl_ ? tls::server_name(ssl_.get()) : std::string_view{};
    }
    /// See tls::answers_alike; without TLS always.
    [[nodiscard]] bool answers_alike(std::string_view host) const
    {
        return !ssl_ || tls::answers_alike(ssl_.get(), host);
    }
    /// Why the handshake or a record failed, in OpenSSL's terms; static text, else empty.
    [[nodiscard]] std::string_view reason() const { return reason_; }
    /// Not one byte has come from the client: a probe.
    [[nodiscard]] bool silent() const { return silent_; }
    /// Some have come that somebody else has looked at.
    void note_bytes() { silent_ = false; }

private:
    enum class Step : std::uint8_t { done, wants_input, failed };
    [[nodiscard]] Step step_handshake();
    [[nodiscard]] net::Next after(Step step) const;
    [[nodiscard]] Result<bool> feed_handshake();
    [[nodiscard]] Result<Plain> receive_unencrypted(std::size_t most);
    [[nodiscard]] Result<Plain> decrypt(std::span<const std::byte> cipher);
    [[nodiscard]] std::unexpected<Error> explain_failure(std::string_view doing);
    [[nodiscard]] bool seal(std::span<const std::byte> plain);
    [[nodiscard]] Result<void> send_answers();
    [[nodiscard]] Result<void> send_output(net::Next next = net::Next::unknown);
    void keep_unread();

    net::Socket socket_;
    const ServerContexts* contexts_; ///< nullptr: plain text
    SslHandle ssl_;                  ///< from the first byte on
    Scratch& scratch_;
    std::unique_ptr<std::byte[]> early_; ///< came with the end of the handshake; read first
    std::size_t early_size_{0};
    std::string_view reason_;
    bool silent_{true};
    bool ended_{false}; ///< close_notify has come, maybe with bytes whose reader did not look at `end`
};

} // namespace sallyport::tls
