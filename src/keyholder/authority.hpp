// A developer's own authority: made once, and kept in two files of the gatekeeper's choice.
#pragma once

#include <cstdint>
#include <string>

#include "problem.hpp"
#include "self_signed.hpp"

namespace sallyport::keyholder {

inline constexpr std::int64_t kAuthorityLife = 3650 * kDay;

/// Writes an ECDSA P-256 key and the certificate of an authority that may issue leaves alone, as PEM, into two empty
/// files. The key is nowhere else but in this process's memory, which is wiped.
[[nodiscard]] Checked<void> make_authority(const std::string& name, int key_file, int certificate_file,
                                           std::int64_t now);

} // namespace sallyport::keyholder
