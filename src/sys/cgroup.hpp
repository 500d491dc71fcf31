// The limits of our control group and of all its parents, in both versions of the interface (cgroups(7)).
//
// Everything is a function of file texts, so tables can test it. A limit lies in one of the directories from our own
// cgroup up to the mount point; in a container the mount shows a part of the hierarchy only, and then the path in
// /proc/self/cgroup is cut accordingly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/sys/file_text.hpp"
#include "sallyport/sys/resources.hpp"

namespace sallyport::sys {

/// The smallest CPU quota in force, in CPUs; nothing without one.
[[nodiscard]] std::optional<double> cpu_limit(const ReadText& read);
/// The smallest limit on tasks in force; nothing without one.
[[nodiscard]] std::optional<std::uint64_t> task_limit(const ReadText& read);

/// The name that stands for version 2, which has one hierarchy for all controllers.
inline constexpr std::string_view kUnified{};

struct CgroupMount {
    std::string root;  ///< what of the hierarchy is mounted
    std::string point; ///< where
};

/// Our path in the hierarchy of a controller, from /proc/self/cgroup.
[[nodiscard]] std::optional<std::string> cgroup_path(std::string_view proc_cgroup, std::string_view controller);
/// Where that hierarchy is mounted, from /proc/self/mountinfo.
[[nodiscard]] std::optional<CgroupMount> cgroup_mount(std::string_view mountinfo, std::string_view controller);
/// Our own directory first, the mount point last.
[[nodiscard]] std::vector<std::string> cgroup_directories(const CgroupMount& mount, std::string_view path);

/// "max 100000" or "150000 100000", the content of cpu.max.
[[nodiscard]] std::optional<double> parse_cpu_max(std::string_view text);
/// cpu.cfs_quota_us, which is -1 for no limit, and cpu.cfs_period_us.
[[nodiscard]] std::optional<double> parse_cfs(std::string_view quota, std::string_view period);
/// "max" or a number, the content of pids.max.
[[nodiscard]] std::optional<std::uint64_t> parse_pids_max(std::string_view text);

} // namespace sallyport::sys
