// Session ticket keys from one secret and the time: the same in every keyholder that is given the secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sallyport/ipc/keys.hpp"

#include "problem.hpp"
#include "secret_buffer.hpp"

namespace sallyport::keyholder {

inline constexpr std::size_t kTicketSecretSize = 32;
/// How long one key encrypts. It decrypts for one epoch more, and one before (clocks of a fleet differ).
inline constexpr std::int64_t kTicketEpoch = std::int64_t{8} * 3600;

/// Times are seconds since the epoch of Unix, not negative.
[[nodiscard]] constexpr std::int64_t ticket_epoch(std::int64_t now)
{
    return now / kTicketEpoch;
}

/// The keys of the current, the previous and the next epoch, in this order (ipc::Tickets): HKDF-SHA-256 (RFC 5869) of
/// the secret, with the epoch's number as its info. Pure. Throws std::bad_alloc if OpenSSL fails. The caller wipes it.
[[nodiscard]] std::vector<ipc::TicketKey> ticket_ring(std::span<const std::byte, kTicketSecretSize> secret,
                                                      std::int64_t now);

/// The secret in the gatekeeper's memory file: read, or, if the file is empty, drawn, written and sealed.
[[nodiscard]] Checked<SecretBuffer> take_ticket_secret(int fd);

} // namespace sallyport::keyholder
