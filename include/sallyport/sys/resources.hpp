// How much of the machine is ours: CPUs and tasks by cgroup v1 and v2, and the number of shards that follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sallyport/sys/file_text.hpp"

namespace sallyport::sys {

/// What our cgroup and its parents leave us. What cannot be read counts as no limit.
struct Allowance {
    double cpus{};                      ///< the smallest quota, at most the CPUs we may be scheduled on; above 0
    std::optional<std::uint64_t> tasks; ///< the smallest limit; nothing if there is none
};

[[nodiscard]] Allowance our_allowance();

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

/// A new configuration has a generation of its own beside the one before.
inline constexpr std::uint16_t kGenerationsLeast = 2;
inline constexpr std::uint16_t kGenerationsUsual = 4;

/// How many tasks Sallyport is with so many shards, while so many generations live. With `run -- command` there are
/// more: the starter, and those of the app, which only the app knows.
[[nodiscard]] std::uint64_t tasks_for(std::uint16_t shards, std::uint16_t generations = kGenerationsLeast);
inline constexpr std::uint64_t kTasksOfStarter = 1;

/// The most shards that a worker can have: every sign channel and every socket of a listener fits one message.
inline constexpr std::uint16_t kShardsMax = 128;

/// One shard per whole CPU (1.5 counts as 2), lowered so that the gatekeeper and so many generations fit the task limit
/// with their threads; at least 1, at most kShardsMax.
[[nodiscard]] std::uint16_t default_shards(double cpus, std::optional<std::uint64_t> pids_max,
                                           std::uint16_t generations = kGenerationsLeast);

/// As many generations as usual, lowered so that they fit the task limit; at least kGenerationsLeast.
[[nodiscard]] std::uint16_t default_generations(std::uint16_t shards, std::optional<std::uint64_t> pids_max);

} // namespace sallyport::sys
