// Certificates made in memory: one that nobody has issued, for those who need none that anybody verifies (an ALB does
// not verify its targets), and those that a developer's own authority issues.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "key_pair.hpp"
#include "problem.hpp"

namespace sallyport::keyholder {

inline constexpr std::int64_t kDay = std::int64_t{24} * 3600;
inline constexpr std::int64_t kSelfSignedLife = 90 * kDay;
/// So long before its end a new one takes its place.
inline constexpr std::int64_t kSelfSignedRenewal = 30 * kDay;

/// ECDSA P-256, in memory alone, from an hour ago (for clocks that differ) to 90 days from `now`. Each name is a DNS
/// name or the text of an IP address. The problem names what is neither.
[[nodiscard]] Checked<KeyPair> make_self_signed(const std::vector<std::string>& names, std::int64_t now);

/// The same, issued by this authority, and not for longer than that lives.
[[nodiscard]] Checked<KeyPair> make_issued(const std::vector<std::string>& names, const KeyPair& authority,
                                           std::int64_t now);

} // namespace sallyport::keyholder
