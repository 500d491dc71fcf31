// One listener's TLS policy on one shard: which certificate answers which name, and everything that is negotiated.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <utility>

#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/tls/credentials.hpp"
#include "sallyport/tls/ssl_handle.hpp"

namespace sallyport::tls {

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

    /// Rotates the ticket keys in place, for live connections too. An empty list is ignored.
    void use_tickets(std::span<const ipc::TicketKey> keys);

private:
    explicit ServerContexts(SslContextHandle initial) : initial_{std::move(initial)} {}

    SslContextHandle initial_;
};

/// Whether this OpenSSL knows X25519MLKEM768, which then is the first group of every handshake's choice.
[[nodiscard]] bool offers_post_quantum();

} // namespace sallyport::tls
