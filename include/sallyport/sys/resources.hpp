// How much of the machine is ours: CPUs and tasks by cgroup v1 and v2, and the number of shards that follows.
#pragma once

#include <cstdint>
#include <optional>

namespace sallyport::sys {

/// CPUs we may use: the smallest quota of our cgroup and its parents, at most the CPUs we may be scheduled on. Above 0.
/// What cannot be read counts as no limit.
[[nodiscard]] double cpu_quota();

/// The smallest task limit of our cgroup and its parents; nothing if there is none.
[[nodiscard]] std::optional<std::uint64_t> pids_limit();

/// The most shards that a worker can have: every sign channel and every socket of a listener fits one message.
inline constexpr std::uint16_t kShardsMax = 128;

/// One shard per whole CPU (1.5 counts as 2), lowered so that the gatekeeper, the keyholder and two generations of
/// workers fit the task limit with their threads; at least 1, at most kShardsMax.
[[nodiscard]] std::uint16_t default_shards(double cpus, std::optional<std::uint64_t> pids_max);

} // namespace sallyport::sys
