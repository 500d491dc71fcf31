#include "sallyport/sys/resources.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <vector>

#include <sched.h>

#include "cgroup.hpp"
#include "sallyport/sys/file_text.hpp"

namespace sallyport::sys {

namespace {

// How many tasks Sallyport is, with N shards:
//   gatekeeper   2             main and log
//   keyholder    2 + 2·(N+1)   main and log; for each of two worker generations one supply and N sign channels
//   worker       2 + N         main and log, and the shards; there are two of them while one drains
//   spare        2             a `sallyport health` that the container's runtime starts
constexpr std::uint64_t kTasksWithoutShards = 2 + (2 + 2) + 2 * 2 + 2;
constexpr std::uint64_t kTasksPerShard = 2 + 2;

constexpr std::size_t kCpusMax = std::size_t{64} * 1024;

double schedulable_cpus()
{
    using Word = unsigned long;
    // The kernel refuses a set that is smaller than its own: grow until it does not.
    for (std::size_t cpus = 1024; cpus <= kCpusMax; cpus *= 2) {
        std::vector<Word> words(cpus / (8 * sizeof(Word)));
        auto* set = reinterpret_cast<cpu_set_t*>(words.data());
        const std::size_t bytes = words.size() * sizeof(Word);
        if (::sched_getaffinity(0, bytes, set) == 0) return CPU_COUNT_S(bytes, set);
        if (errno != EINVAL) break;
    }
    return 1;
}

} // namespace

double cpu_quota()
{
    const double cpus = schedulable_cpus();
    return std::min(cpus, cpu_limit(read_text).value_or(cpus));
}

std::optional<std::uint64_t> pids_limit()
{
    return task_limit(read_text);
}

std::uint64_t tasks_for(std::uint16_t shards)
{
    return kTasksWithoutShards + kTasksPerShard * shards;
}

std::uint16_t default_shards(double cpus, std::optional<std::uint64_t> pids_max)
{
    const double wanted = std::clamp(std::round(cpus), 1.0, static_cast<double>(kShardsMax));
    auto shards = static_cast<std::uint64_t>(wanted);
    if (pids_max) {
        const std::uint64_t for_shards = *pids_max - std::min(*pids_max, kTasksWithoutShards);
        shards = std::clamp(for_shards / kTasksPerShard, std::uint64_t{1}, shards);
    }
    return static_cast<std::uint16_t>(shards);
}

} // namespace sallyport::sys
