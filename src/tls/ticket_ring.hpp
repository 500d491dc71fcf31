// Session tickets (RFC 5077 §4, RFC 8446 §4.6.1): sealed with the first key of a ring, opened with any.
#pragma once

#include <span>
#include <vector>

#include <openssl/types.h>

#include "sallyport/ipc/keys.hpp"

namespace sallyport::tls {

/// Owns its keys and wipes them. Thread: its shard's.
class TicketRing {
public:
    explicit TicketRing(std::span<const ipc::TicketKey> keys) : keys_{keys.begin(), keys.end()} {}
    TicketRing(const TicketRing&) = delete;
    TicketRing& operator=(const TicketRing&) = delete;
    ~TicketRing() { wipe(); }

    /// An empty list is ignored: a ring always has a key to seal with.
    void replace(std::span<const ipc::TicketKey> keys);

    /// Prepares both contexts with the first key, and names it in the ticket.
    [[nodiscard]] bool seal(std::span<unsigned char, 16> name, std::span<unsigned char, 16> iv, EVP_CIPHER_CTX* cipher,
                            EVP_MAC_CTX* mac) const;

    enum class Opened { unknown_key, with_current_key, with_older_key, failed };
    [[nodiscard]] Opened open(std::span<const unsigned char, 16> name, std::span<const unsigned char, 16> iv,
                              EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const;

private:
    void wipe();

    std::vector<ipc::TicketKey> keys_;
};

} // namespace sallyport::tls
