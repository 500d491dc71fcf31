// What a handshake's choices depend on: the context for a name, the protocol, the ticket keys.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "name_table.hpp"
#include "sallyport/tls/ssl_handle.hpp"
#include "ticket_ring.hpp"

namespace sallyport::tls {

/// One per listener and shard. Every connection keeps its initial context, and that one owns this: so it outlives the
/// connections that began with it.
struct Negotiation {
    Negotiation(const std::vector<std::string>& alpn, std::span<const ipc::TicketKey> keys);

    NameTable<SSL_CTX*> names;
    const SSL_CTX* initial{nullptr};      ///< for the names that are not there
    std::vector<SslContextHandle> others; ///< the contexts that `names` leads to, but for the initial one
    TicketRing tickets;
    std::vector<unsigned char> protocols; ///< in order of preference, each with its length in front (RFC 7301 §3.1)
};

/// Lets handshakes on this context consult the negotiation, which must outlive them. False if memory ran out.
[[nodiscard]] bool consult(SSL_CTX* context, Negotiation& negotiation);

/// Makes the context the owner of its negotiation. False if memory ran out.
[[nodiscard]] bool own(SSL_CTX* initial, std::unique_ptr<Negotiation> negotiation);

/// What `consult` said of this context.
[[nodiscard]] Negotiation& negotiation_of(const SSL_CTX* context);

} // namespace sallyport::tls
