#include "cgroup.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "sallyport/sys/file_text.hpp"

namespace sallyport::sys {

namespace {

/// `name` is one of the comma-separated words.
bool lists(std::string_view words, std::string_view name)
{
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(','), words.size());
        if (words.substr(0, end) == name) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

std::vector<std::string> directories_of(const ReadText& read, std::string_view controller,
                                        const std::string& process = "self")
{
    const auto path = cgroup_path(read("/proc/" + process + "/cgroup").value_or(""), controller);
    const auto mount = cgroup_mount(read("/proc/self/mountinfo").value_or(""), controller);
    if (!path || !mount) return {};
    return cgroup_directories(*mount, *path);
}

template <typename T>
void lower(std::optional<T>& least, const std::optional<T>& limit)
{
    if (limit && (!least || *limit < *least)) least = limit;
}

std::optional<std::string> read_in(const ReadText& read, const std::string& directory, std::string_view file)
{
    return read(directory + "/" + std::string{file});
}

std::string_view without_line_end(std::string_view text)
{
    return take_line(text);
}

/// A resource as both versions of the interface name it.
struct Resource {
    std::string_view controller, limit, used;
};
constexpr std::array kTasks{Resource{kUnified, "pids.max", "pids.current"},
                            Resource{"pids", "pids.max", "pids.current"}};
constexpr std::array kMemory{Resource{kUnified, "memory.max", "memory.current"},
                             Resource{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes"}};
// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::uint64_t kNoMemoryLimit = std::uint64_t{1} << 62;

Share share_of(const ReadText& read, std::span<const Resource> resources, const std::string& process)
{
    const auto number_in = [&](const std::string& directory, std::string_view file) {
        const auto text = read_in(read, directory, file);
        return text ? parse_number<std::uint64_t>(without_line_end(*text)) : std::nullopt;
    };
    Share share;
    for (const Resource& resource : resources) {
        for (const std::string& directory : directories_of(read, resource.controller, process)) {
            const auto used = number_in(directory, resource.used);
            if (!share.used) share.used = used;
            const auto limit = number_in(directory, resource.limit);
            if (!limit || *limit >= kNoMemoryLimit || (share.limit && *share.limit <= *limit)) continue;
            share = {limit, used};
        }
    }
    return share;
}

} // namespace

GroupShares group_shares(const ReadText& read, const std::string& process)
{
    return {.tasks = share_of(read, kTasks, process), .memory = share_of(read, kMemory, process)};
}

std::optional<double> cpu_limit(const ReadText& read)
{
    std::optional<double> least;
    for (const std::string& directory : directories_of(read, kUnified))
        if (const auto text = read_in(read, directory, "cpu.max")) lower(least, parse_cpu_max(*text));
    for (const std::string& directory : directories_of(read, "cpu")) {
        const auto quota = read_in(read, directory, "cpu.cfs_quota_us");
        const auto period = read_in(read, directory, "cpu.cfs_period_us");
        if (quota && period) lower(least, parse_cfs(*quota, *period));
    }
    return least;
}

std::optional<std::uint64_t> task_limit(const ReadText& read)
{
    std::optional<std::uint64_t> least;
    for (const std::string_view controller : {kUnified, std::string_view{"pids"}})
        for (const std::string& directory : directories_of(read, controller))
            if (const auto text = read_in(read, directory, "pids.max")) lower(least, parse_pids_max(*text));
    return least;
}

// "4:memory:/docker/1f2e" in version 1, "0::/user.slice" in version 2.
std::optional<std::string> cgroup_path(std::string_view proc_cgroup, std::string_view controller)
{
    while (!proc_cgroup.empty()) {
        const std::string_view line = take_line(proc_cgroup);
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const bool ours = controller == kUnified ? controllers.empty() : lists(controllers, controller);
        if (ours) return std::string{line.substr(second + 1)};
    }
    return std::nullopt;
}

// "33 31 0:30 /root /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct" (proc_pid_mountinfo(5)).
std::optional<CgroupMount> cgroup_mount(std::string_view mountinfo, std::string_view controller)
{
    constexpr std::string_view kSeparator = " - ";
    while (!mountinfo.empty()) {
        std::string_view line = take_line(mountinfo);
        const std::size_t separator = line.find(kSeparator);
        if (separator == std::string_view::npos) continue;
        std::string_view kind = line.substr(separator + kSeparator.size());
        const std::string_view type = take_word(kind);
        static_cast<void>(take_word(kind)); // the mount's source
        const bool ours = controller == kUnified ? type == "cgroup2" : type == "cgroup" && lists(kind, controller);
        if (!ours) continue;
        for (int skipped = 0; skipped < 3; ++skipped)
            static_cast<void>(take_word(line)); // its id, its parent's, its device
        const std::string_view root = take_word(line);
        return CgroupMount{std::string{root}, std::string{take_word(line)}};
    }
    return std::nullopt;
}

std::vector<std::string> cgroup_directories(const CgroupMount& mount, std::string_view path)
{
    std::string_view below = path;
    if (mount.root != "/") {
        if (!below.starts_with(mount.root)) return {mount.point};
        below.remove_prefix(mount.root.size());
        if (!below.empty() && below.front() != '/') return {mount.point};
    }
    // A path that leads out of our cgroup namespace names nothing that we can see.
    if (below.find("/..") != std::string_view::npos) return {mount.point};
    std::vector<std::string> directories;
    while (!below.empty() && below != "/") {
        directories.push_back(mount.point + std::string{below});
        below = below.substr(0, below.rfind('/'));
    }
    directories.push_back(mount.point);
    return directories;
}

std::optional<double> parse_cpu_max(std::string_view text)
{
    std::string_view rest = without_line_end(text);
    const std::string_view quota = take_word(rest);
    return parse_cfs(quota, rest);
}

std::optional<double> parse_cfs(std::string_view quota, std::string_view period)
{
    const auto used = parse_number<std::uint64_t>(without_line_end(quota));
    const auto whole = parse_number<std::uint64_t>(without_line_end(period));
    if (!used || !whole || *used == 0 || *whole == 0) return std::nullopt;
    return static_cast<double>(*used) / static_cast<double>(*whole);
}

std::optional<std::uint64_t> parse_pids_max(std::string_view text)
{
    return parse_number<std::uint64_t>(without_line_end(text));
}

} // namespace sallyport::sys
