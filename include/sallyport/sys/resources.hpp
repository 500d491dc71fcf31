// How much of the machine is ours: CPUs and tasks by cgroup v1 and v2, and the number of shards that follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sallyport/sys/file_text.hpp"

namespace sallyport::sys {

/// CPUs we may use: the smallest quota of our cgroup and its parents, at most the CPUs we may be scheduled on. Above 0.
/// What cannot be read counts as no limit.
[[nodiscard]] double cpu_quota();

/// The smallest task limit of our cgroup and its parents; nothing if there is none.
[[nodiscard]] std::optional<std::uint64_t> pids_limit();

/// A limit of a process's cgroup and its parents, the smallest one, and what is used of it.
struct Share {
    std::optional<std::uint64_t> limit; ///< nothing: there is none
    std::optional<std::uint64_t> used;  ///< where the limit is set; without one, in the process's own cgroup

    bool operator==(const Share&) const = default;
};

struct GroupShares {
    Share tasks;
    Share memory; ///< bytes

    bool operator==(const GroupShares&) const = default;
};

/// `process`: "self" or a number. Our own mounts must show its cgroup, else nothing is known of it.
[[nodiscard]] GroupShares group_shares(const ReadText& read, const std::string& process);

/// How many tasks Sallyport is with so many shards, while one generation of workers replaces another.
[[nodiscard]] std::uint64_t tasks_for(std::uint16_t shards);

/// The most shards that a worker can have: every sign channel and every socket of a listener fits one message.
inline constexpr std::uint16_t kShardsMax = 128;

/// One shard per whole CPU (1.5 counts as 2), lowered so that the gatekeeper, the keyholder and two generations of
/// workers fit the task limit with their threads; at least 1, at most kShardsMax.
[[nodiscard]] std::uint16_t default_shards(double cpus, std::optional<std::uint64_t> pids_max);

} // namespace sallyport::sys
