// One listener's TLS policy on one shard: which certificate answers which name, and everything that is negotiated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/tls/credentials.hpp"
#include "sallyport/tls/ssl_handle.hpp"

namespace sallyport::tls {

/// One certificate of one context: what a rehearsal is about.
struct ShownCertificate {
    ssl_ctx_st* context{}; ///< kept by the initial one
    std::uint32_t index{};
    const char* signatures{}; ///< a client that knows these alone is shown this certificate
    crypto::X509Handle leaf;
};

/// Certificates are chosen by server name: an exact name, then a wildcard for one label, then the listener's first
/// certificate. For one name there may be one certificate of each key type (EC, RSA, Ed25519), and the handshake picks
/// what the client can verify; of several of one type, the first configured one serves.
///
/// Shares nothing with other shards, not even a reference count: keys and certificates are its own.
/// Thread: build it anywhere, then use it on its shard only. Live connections keep what they began with: destroying or
/// replacing this does not disturb them.
class ServerContexts {
public:
    /// Needs `load_providers`. The error is a sentence for the operator; it names a certificate by its index.
    [[nodiscard]] static std::expected<ServerContexts, std::string> build(const ipc::TlsSettings& settings,
                                                                          const Credentials& credentials);

    /// A connection in server state, to which its BIOs are still to be given. Never empty.
    [[nodiscard]] SslHandle new_session() const;

    /// How many handshakes a rehearsal takes: one for each certificate of each name.
    [[nodiscard]] std::size_t rehearsals() const { return shown_.size(); }
    /// One of them, with a client of our own, in memory: it must end well and show the right certificate. Signs, so a
    /// channel must be in use on this thread (`use_sign_channel`). The error is a sentence for the operator.
    [[nodiscard]] std::expected<void, std::string> rehearse(std::size_t which) const;

    /// Rotates the ticket keys in place, for live connections too. An empty list is ignored.
    void use_tickets(std::span<const ipc::TicketKey> keys);

private:
    ServerContexts(SslContextHandle initial, std::vector<ShownCertificate> shown)
        : initial_{std::move(initial)}, shown_{std::move(shown)}
    {
    }

    SslContextHandle initial_;
    std::vector<ShownCertificate> shown_;
};

/// Whether a handshake for this name would have had the certificates that this connection has had. For a request's host
/// that is not the server name (RFC 9110 §15.5.20).
[[nodiscard]] bool answers_alike(const ssl_st* ssl, std::string_view host);

} // namespace sallyport::tls
