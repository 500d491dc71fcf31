// The client's side of TLS: one context for a run, and what was really negotiated.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace bench {

struct ContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct TlsFree {
    void operator()(SSL* tls) const { SSL_free(tls); }
};
struct SessionFree {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, ContextFree>;
using Tls = std::unique_ptr<SSL, TlsFree>;
using Session = std::unique_ptr<SSL_SESSION, SessionFree>;

/// Offers one version, one cipher and one curve, so that every proxy does the same work: AES-128-GCM and X25519.
/// "1.2", "1.3"; any other word is refused with exit 64. The certificate is not verified against a CA, but its
/// signature is, as TLS itself demands.
[[nodiscard]] Context client_context(const std::string& version);

/// The last ticket that came, kept for the next connection of the same slot. If a resumed connection brings no new one,
/// the old one is used again, which a careful client would not do; hence the count.
struct TicketJar {
    Session ticket;
    std::uint64_t received{};
};
/// Offers the ticket, if there is one, and keeps those that come. The jar must outlive the connection.
void use_tickets_of(SSL* tls, TicketJar& jar);

/// What the handshakes of one run agreed on; a handshake that differs from the first is counted.
struct Agreement {
    std::string version;
    std::string cipher;
    std::string curve;
    std::string certificate; ///< SHA-256 of the DER form, hex
    std::uint64_t full{};
    std::uint64_t resumed{};
    std::uint64_t strays{};

    void note(SSL* tls);
};

} // namespace bench
