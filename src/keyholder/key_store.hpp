// From the gatekeeper's list of sources to a set of proven pairs, or to everything that is wrong with them.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sallyport/ipc/control.hpp"

#include "key_ring.hpp"
#include "problem.hpp"
#include "source_pair.hpp"

namespace sallyport::keyholder {

/// What the index of a key's name can tell apart, and what Loaded can report.
inline constexpr std::size_t kSourcesMax = 256;

/// All pairs, or every problem of every source. A self-signed pair is taken over from `previous` (may be nullptr) until
/// it is due. `now` is in seconds since the epoch.
[[nodiscard]] std::expected<KeySet, std::vector<Problem>> load_all(std::span<const Source> sources,
                                                                   const KeySet* previous, std::int64_t now);

/// A source whose pair is not used, and why.
struct Refusal {
    std::size_t index{};
    std::string reason;
};

/// Puts the pair of `previous` back into `keys` wherever the new one is_too_early.
[[nodiscard]] std::vector<Refusal> keep_valid(std::span<const Source> sources, KeySet& keys, const KeySet& previous,
                                              std::int64_t now);

/// When the first self-signed pair is to be replaced; the end of time if there is none.
[[nodiscard]] std::int64_t renewal_due(std::span<const Source> sources, const KeySet& keys);

/// `keys` with new pairs for the self-signed ones that are due.
[[nodiscard]] Checked<KeySet> renew(std::span<const Source> sources, const KeySet& keys, std::int64_t now);

/// What is told of a pair; of its names no more than so many.
inline constexpr std::size_t kNamesToldMax = 16;
[[nodiscard]] ipc::LoadedPair report(const Source& source, const KeyPair& pair, std::size_t names_max = kNamesToldMax);

/// The answers to Load. Both fit a message; a long list of names is cut.
[[nodiscard]] ipc::Failed to_failed(const std::vector<Problem>& problems);
[[nodiscard]] ipc::Loaded to_loaded(std::span<const Source> sources, const KeySet& keys, bool memory_locked);

} // namespace sallyport::keyholder
