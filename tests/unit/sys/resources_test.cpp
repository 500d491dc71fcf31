#include "sallyport/sys/resources.hpp"

#include <map>

#include "support/catch.hpp"
#include "sys/cgroup.hpp"

using namespace sallyport::sys;

namespace {

using Files = std::map<std::string, std::string>;

ReadText reader_of(const Files& files)
{
    return [&files](const std::string& path) -> std::optional<std::string> {
        const auto file = files.find(path);
        return file == files.end() ? std::nullopt : std::optional{file->second};
    };
}

const Files kUnifiedHost{
    {"/proc/self/cgroup", "0::/system.slice/sallyport.service\n"},
    {"/proc/self/mountinfo", "23 1 254:0 / / rw - ext4 /dev/vda rw\n"
                             "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"},
};

// Docker on version 1 without a cgroup namespace: the path names more than the mount shows.
const Files kVersion1Container{
    {"/proc/self/cgroup", "11:pids:/docker/1f2e\n4:cpu,cpuacct:/docker/1f2e\n1:name=systemd:/docker/1f2e\n0::/\n"},
    {"/proc/self/mountinfo",
     "40 39 0:30 /docker/1f2e /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
     "41 39 0:31 /docker/1f2e /sys/fs/cgroup/pids ro,nosuid master:14 - cgroup cgroup rw,pids\n"},
};

Files with(Files files, const Files& more)
{
    files.insert(more.begin(), more.end());
    return files;
}

} // namespace

TEST_CASE("cpu.max is a quota and a period, or no limit", "[sys][resources]")
{
    const auto [text, cpus] = GENERATE(table<std::string, std::optional<double>>({
        {"150000 100000\n", 1.5},
        {"25000 100000", 0.25},
        {"800000 100000\n", 8.0},
        {"max 100000\n", std::nullopt},
        {"max\n", std::nullopt},
        {"", std::nullopt},
        {"0 100000\n", std::nullopt},
        {"100000 0\n", std::nullopt},
        {"-1 100000\n", std::nullopt},
        {"many few\n", std::nullopt},
    }));
    CAPTURE(text);
    CHECK(parse_cpu_max(text) == cpus);
}

TEST_CASE("The version 1 quota is -1 where there is none", "[sys][resources]")
{
    CHECK(parse_cfs("-1\n", "100000\n") == std::nullopt);
    CHECK(parse_cfs("50000\n", "100000\n") == 0.5);
    CHECK(parse_cfs("50000\n", "") == std::nullopt);
}

TEST_CASE("pids.max is a number or no limit", "[sys][resources]")
{
    CHECK(parse_pids_max("100\n") == 100);
    CHECK(parse_pids_max("max\n") == std::nullopt);
    CHECK(parse_pids_max("") == std::nullopt);
}

TEST_CASE("The least limit of the own cgroup and its parents counts", "[sys][resources]")
{
    const Files files =
        with(kUnifiedHost, {
                               {"/sys/fs/cgroup/system.slice/sallyport.service/cpu.max", "max 100000\n"},
                               {"/sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n"},
                               {"/sys/fs/cgroup/system.slice/sallyport.service/pids.max", "512\n"},
                               {"/sys/fs/cgroup/system.slice/pids.max", "64\n"},
                           });
    CHECK(cpu_limit(reader_of(files)) == 2.0);
    CHECK(task_limit(reader_of(files)) == 64);
}

TEST_CASE("What is used counts where the limit is set", "[sys][resources]")
{
    const Files files = with(kUnifiedHost, {
                                               {"/proc/812/cgroup", "0::/a/b\n"},
                                               {"/sys/fs/cgroup/a/b/pids.max", "max\n"},
                                               {"/sys/fs/cgroup/a/b/pids.current", "3\n"},
                                               {"/sys/fs/cgroup/a/pids.max", "64\n"},
                                               {"/sys/fs/cgroup/a/pids.current", "40\n"},
                                               {"/sys/fs/cgroup/a/b/memory.max", "max\n"},
                                               {"/sys/fs/cgroup/a/b/memory.current", "4096\n"},
                                           });
    const GroupShares shares = group_shares(reader_of(files), "812");
    CHECK(shares.tasks == Share{.limit = 64, .used = 40});
    CHECK(shares.memory == Share{.limit = std::nullopt, .used = 4096});
    CHECK(group_shares(reader_of(files), "813") == GroupShares{});
}

TEST_CASE("Version 1 writes no limit of memory as a very large number", "[sys][resources]")
{
    Files files{
        {"/proc/self/cgroup", "4:memory:/docker/1f2e\n"},
        {"/proc/self/mountinfo", "41 39 0:31 /docker/1f2e /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
        {"/sys/fs/cgroup/memory/memory.usage_in_bytes", "77\n"},
    };
    CHECK(group_shares(reader_of(files), "self").memory == Share{.limit = std::nullopt, .used = 77});
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "1048576\n";
    CHECK(group_shares(reader_of(files), "self").memory == Share{.limit = 1048576, .used = 77});
}

TEST_CASE("One shard makes 16 tasks while a worker replaces another", "[sys][resources]")
{
    CHECK(tasks_for(1) == 16);
    CHECK(default_shards(8, tasks_for(3)) == 3);
}

TEST_CASE("A version 1 container sees its own limits through its mounts", "[sys][resources]")
{
    const Files files = with(kVersion1Container, {
                                                     {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n"},
                                                     {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
                                                     {"/sys/fs/cgroup/pids/pids.max", "100\n"},
                                                 });
    CHECK(cpu_limit(reader_of(files)) == 1.5);
    CHECK(task_limit(reader_of(files)) == 100);
}

TEST_CASE("Without readable limits there is none", "[sys][resources]")
{
    for (const Files& files :
         {Files{}, kUnifiedHost, kVersion1Container, Files{{"/proc/self/cgroup", "nonsense\n::\n"}},
          Files{{"/proc/self/mountinfo", " - \n- -\n"}}}) {
        CHECK(cpu_limit(reader_of(files)) == std::nullopt);
        CHECK(task_limit(reader_of(files)) == std::nullopt);
    }
}

TEST_CASE("The path in a hierarchy is that of its controller", "[sys][resources]")
{
    const std::string_view text = "4:cpu,cpuacct:/a\n3:pids:/b:c\n0::/d\n";
    CHECK(cgroup_path(text, "cpu") == "/a");
    CHECK(cgroup_path(text, "cpuacct") == "/a");
    CHECK(cgroup_path(text, "pids") == "/b:c");
    CHECK(cgroup_path(text, kUnified) == "/d");
    CHECK(cgroup_path(text, "cp") == std::nullopt);
    CHECK(cgroup_path(text, "memory") == std::nullopt);
}

TEST_CASE("Directories lead from the own cgroup up to the mount point", "[sys][resources]")
{
    using Strings = std::vector<std::string>;
    const auto [root, path, directories] = GENERATE(table<std::string, std::string, Strings>({
        {"/", "/", {"/m"}},
        {"/", "/a", {"/m/a", "/m"}},
        {"/", "/a/b", {"/m/a/b", "/m/a", "/m"}},
        {"/docker/1", "/docker/1", {"/m"}},
        {"/docker/1", "/docker/1/x", {"/m/x", "/m"}},
        {"/docker/1", "/docker/12", {"/m"}}, // another one whose name begins the same
        {"/docker/1", "/elsewhere", {"/m"}},
        {"/", "/../../init", {"/m"}}, // outside of our cgroup namespace
    }));
    CAPTURE(root, path);
    CHECK(cgroup_directories({root, "/m"}, path) == directories);
}

TEST_CASE("One shard per CPU, as far as the task limit goes", "[sys][resources]")
{
    const auto [cpus, pids, shards] = GENERATE(table<double, std::optional<std::uint64_t>, int>({
        {0.1, std::nullopt, 1},
        {1.0, std::nullopt, 1},
        {1.4, std::nullopt, 1},
        {1.5, std::nullopt, 2},
        {2.0, std::nullopt, 2},
        {64.0, std::nullopt, 64},
        {1000.0, std::nullopt, kShardsMax},
        {8.0, 0, 1}, // too few for anybody: it starts with one and the kernel has the last word
        {8.0, 12, 1},
        {8.0, 16, 1},
        {8.0, 19, 1},
        {8.0, 20, 2},
        {8.0, 24, 3},
        {8.0, 43, 7},
        {8.0, 44, 8},
        {8.0, 4096, 8},
        {8.0, UINT64_MAX, 8},
    }));
    CAPTURE(cpus, pids.value_or(0));
    CHECK(default_shards(cpus, pids) == shards);
}

TEST_CASE("All generations fit the task limit, each with a keyholder and a worker", "[sys][resources]")
{
    const std::uint16_t generations = GENERATE(as<std::uint16_t>{}, 2, 4, 16);
    for (std::uint64_t pids = 4 + generations * 6; pids < 1000; ++pids) {
        const std::uint64_t n = default_shards(1000.0, pids, generations);
        const std::uint64_t gatekeeper = 2;
        const std::uint64_t keyholder = 2 + n;
        const std::uint64_t worker = 2 + n;
        CHECK(gatekeeper + generations * (keyholder + worker) <= pids);
    }
}

TEST_CASE("As many generations as usual, as far as the task limit goes", "[sys][resources]")
{
    const auto [shards, pids, generations] = GENERATE(table<std::uint16_t, std::optional<std::uint64_t>, int>({
        {1, std::nullopt, 4},
        {64, std::nullopt, 4},
        {1, 0, 2},
        {1, 16, 2},
        {1, 21, 2},
        {1, 22, 3},
        {1, 28, 4},
        {1, 4096, 4},
        {8, 63, 2},
        {8, 64, 3},
    }));
    CAPTURE(shards, pids.value_or(0));
    CHECK(default_generations(shards, pids) == generations);
}

TEST_CASE("This machine has at least a part of a CPU", "[sys][resources]")
{
    const Allowance allowance = our_allowance();
    CHECK(allowance.cpus > 0);
    CHECK(allowance.cpus <= 64 * 1024);
    CHECK(default_shards(allowance.cpus, allowance.tasks) >= 1);
}
