// What a worker knows of its certificates and session tickets, as the keyholder described them.
#pragma once

#include <cstdint>
#include <vector>

#include "sallyport/ipc/keys.hpp"

namespace sallyport::tls {

/// Immutable once built and shared by all shards: each builds its own contexts from it (ServerContexts). Drop it when
/// they have: it holds the ticket keys, and with `keys: in_worker` the private keys. Both are wiped when it is
/// destroyed.
struct Credentials {
    Credentials() = default;
    Credentials(Credentials&&) noexcept = default;
    Credentials& operator=(Credentials&&) = delete;
    ~Credentials();

    /// Certificate::key of each.
    [[nodiscard]] std::vector<std::uint32_t> keys() const;

    std::vector<ipc::Certificate> certificates; ///< by the keyholder's index
    std::vector<ipc::TicketKey> tickets;        ///< the first one encrypts; all decrypt
};

} // namespace sallyport::tls
