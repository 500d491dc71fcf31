#include "sallyport/sys/resources.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <sched.h>

#include "cgroup.hpp"
#include "sallyport/sys/file_text.hpp"

namespace sallyport::sys {

namespace {

// How many tasks Sallyport is, with N shards:
//   gatekeeper   2       main and log
//   generation   4 + 2N  a keyholder (main, log, N sign channels) and a worker (main, log, N shards); there are several
//                        while older ones drain
//   spare        2       a `sallyport health` that the container's runtime starts
constexpr std::uint64_t kTasksAside = 2 + 2;
constexpr std::uint64_t kTasksPerGeneration = 4;
constexpr std::uint64_t kTasksPerShard = 2; // of each generation

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

Allowance our_allowance()
{
    // Both ask for the same files, and the kernel writes a long list of mounts anew for each reader.
    std::map<std::string, std::optional<std::string>> texts;
    const ReadText read_once = [&](const std::string& path) {
        const auto [place, is_new] = texts.try_emplace(path);
        if (is_new) place->second = read_text(path);
        return place->second;
    };
    const double cpus = schedulable_cpus();
    return {.cpus = std::min(cpus, cpu_limit(read_once).value_or(cpus)), .tasks = task_limit(read_once)};
}

std::uint64_t tasks_for(std::uint16_t shards, std::uint16_t generations)
{
    return kTasksAside + generations * (kTasksPerGeneration + kTasksPerShard * shards);
}

std::uint16_t default_shards(double cpus, std::optional<std::uint64_t> pids_max, std::uint16_t generations)
{
    const double wanted = std::clamp(std::round(cpus), 1.0, static_cast<double>(kShardsMax));
    auto shards = static_cast<std::uint64_t>(wanted);
    if (pids_max) {
        const std::uint64_t for_shards = *pids_max - std::min(*pids_max, tasks_for(0, generations));
        shards = std::clamp(for_shards / (kTasksPerShard * generations), std::uint64_t{1}, shards);
    }
    return static_cast<std::uint16_t>(shards);
}

std::uint16_t default_generations(std::uint16_t shards, std::optional<std::uint64_t> pids_max)
{
    std::uint16_t generations = kGenerationsUsual;
    while (generations > kGenerationsLeast && pids_max && tasks_for(shards, generations) > *pids_max)
        --generations;
    return generations;
}

} // namespace sallyport::sys
