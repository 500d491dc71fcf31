// The verdicts on recorded places and families.
#include <algorithm>

#include "recorded.hpp"
#include "sallyport/audit/report.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::audit;
using Catch::Contains;

namespace {

const Row& row_of(const std::vector<Row>& rows, std::string_view what, std::string_view process = "here")
{
    const auto row = std::ranges::find_if(
        rows, [&](const Row& one) { return one.what == what && (one.process.empty() || one.process == process); });
    REQUIRE(row != rows.end());
    return *row;
}

Grade grade_of(const std::vector<Row>& rows, std::string_view what, std::string_view process = "here")
{
    CAPTURE(what);
    return row_of(rows, what, process).grade;
}

/// A pod of the restricted profile, read-only, with limits.
Recorded restricted_pod()
{
    Recorded machine;
    machine.files = {
        {"/proc/self/task/1/status", status_text(65532, {kNone, kNone, kNone, kNone, kNone}, 1, 2)},
        {"/proc/self/limits", kLimits},
        {"/proc/self/environ", std::string{"KUBERNETES_SERVICE_HOST=10.0.0.1\0PATH=/bin\0", 44}},
        {"/proc/self/uid_map", "0 0 4294967295\n"},
        {"/proc/self/cgroup", "0::/\n"},
        {"/proc/self/mountinfo", "620 511 0:51 / / ro - overlay overlay rw\n"
                                 "630 624 0:28 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"},
        {"/sys/fs/cgroup/pids.max", "64\n"},
        {"/sys/fs/cgroup/pids.current", "9\n"},
        {"/sys/fs/cgroup/memory.max", "268435456\n"},
        {"/sys/fs/cgroup/memory.current", "12582912\n"},
        {"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n"},
    };
    machine.links = {{"/proc/self/ns/net", "net:[2]"}, {"/proc/self/ns/user", "user:[4026531837]"}};
    machine.owners = {{"/proc/self/root/", 0}};
    machine.capabilities = {
        {"/proc/self/exe", {.permitted = sys::kNetBindService, .inheritable = 0, .effective = false}}};
    return machine;
}

/// Docker's defaults: a root that can be written to, a default bounding set, no limits.
Recorded plain_docker()
{
    Recorded machine = restricted_pod();
    machine.files["/proc/self/task/1/status"] = status_text(10001, {kNone, kNone, kNone, kDocker, kNone}, 0, 2);
    machine.files["/proc/self/environ"] = std::string{"HOME=/\0DB_PASSWORD=x\0", 21};
    machine.files["/proc/self/mountinfo"] = "620 511 0:51 / / rw - overlay overlay rw\n"
                                            "626 620 259:1 /d /data rw - ext4 /dev/nvme0n1p1 rw\n"
                                            "630 624 0:28 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    machine.files["/sys/fs/cgroup/pids.max"] = "max\n";
    machine.files["/sys/fs/cgroup/memory.max"] = "max\n";
    machine.files["/proc/self/limits"] = "Max open files 1024 1024 files\n";
    machine.owners["/proc/self/root/.dockerenv"] = 0;
    return machine;
}

ProcessFacts confined(const std::string& name, std::uint64_t lawful)
{
    ProcessFacts process;
    process.name = name;
    process.lawful = lawful;
    process.status.capabilities.permitted = lawful;
    process.status.no_new_privs = true;
    process.status.uid = 65532;
    process.status.filtered = true;
    process.status.filters = 4;
    process.own_filters = 2;
    process.filters_around = 2;
    process.dumpable = false;
    process.descriptors = DescriptorLimit{20000, 20000};
    process.secrets.emplace();
    process.file.emplace();
    return process;
}

Facts live_with(const ProcessFacts& process)
{
    Facts facts;
    facts.live = true;
    facts.landlock_abi = 4;
    facts.processes = {process};
    return facts;
}

} // namespace

TEST_CASE("A restricted pod with limits and a read-only root has nothing to mend", "[audit]")
{
    const Recorded machine = restricted_pod();
    const auto rows = judge(facts_here(machine.reader()));
    for (const Row& row : rows) {
        CAPTURE(row.what, row.value);
        CHECK(row.grade == Grade::ok);
        CHECK(row.mend.empty());
    }
    CHECK(row_of(rows, "runtime").value == "kubernetes");
    CHECK(row_of(rows, "tasks").value == "limit 64, now 9");
    CHECK(row_of(rows, "memory").value == "limit 256 MiB, now 12 MiB");
    CHECK(row_of(rows, "file_capability").value == "cap_net_bind_service=p");
    CHECK(row_of(rows, "user_namespace").value == "user:[4026531837] (the machine's own)");
}

TEST_CASE("What a container of Docker's defaults lacks is mended by lines for docker run", "[audit]")
{
    const Recorded machine = plain_docker();
    const auto rows = judge(facts_here(machine.reader()));
    CHECK(row_of(rows, "runtime").value == "docker");
    const auto [what, line] = GENERATE(table<std::string, std::string>({
        {"root_filesystem", "--read-only"},
        {"writable_mounts", ":ro"},
        {"tasks", "--pids-limit"},
        {"memory", "--memory"},
        {"capabilities_bounding", "--cap-drop ALL"},
        {"descriptors", "--ulimit nofile="},
        {"environment", "--env"},
    }));
    const Row& row = row_of(rows, what);
    CAPTURE(what, row.value);
    CHECK(row.grade == Grade::warn);
    CHECK_THAT(row.mend, Contains("docker run") && Contains(line));
    CHECK(grade_of(rows, "no_new_privs") == Grade::ok);
}

TEST_CASE("The environment's secrets are named and their values are not", "[audit]")
{
    Recorded machine = plain_docker();
    CHECK(row_of(judge(facts_here(machine.reader())), "environment").value == "holds DB_PASSWORD");
    machine.files["/proc/self/environ"] = "PEM=-----BEGIN PRIVATE KEY-----MIGHxyz";
    const auto rows = judge(facts_here(machine.reader()));
    CHECK(grade_of(rows, "environment") == Grade::fail);
    for (const Row& row : rows)
        CHECK((row.value + row.mend).find("MIGHxyz") == std::string::npos);
}

TEST_CASE("Every guard has a line for every runtime", "[audit]")
{
    Recorded machine = plain_docker();
    machine.files["/proc/self/task/1/status"] = status_text(0, {kNone, kNone, kNone, kDocker, kNone}, 0, 0);
    Facts facts = facts_here(machine.reader());
    for (const auto runtime : {sys::Runtime::ecs, sys::Runtime::kubernetes, sys::Runtime::docker, sys::Runtime::podman,
                               sys::Runtime::systemd, sys::Runtime::plain}) {
        facts.runtime = runtime;
        std::size_t mended = 0;
        for (const Row& row : judge(facts)) {
            CAPTURE(sys::name(runtime), row.what);
            CHECK((row.grade == Grade::ok) == row.mend.empty());
            mended += row.mend.empty() ? 0 : 1;
        }
        const bool is_one_of_many = runtime == sys::Runtime::ecs || runtime == sys::Runtime::kubernetes;
        CHECK(mended == (is_one_of_many ? 7 : 8)); // nobody limits the tasks of one container there
    }
}

TEST_CASE("Root warns before a start, and its bounding set can be emptied", "[audit]")
{
    Recorded machine = plain_docker();
    machine.files["/proc/self/task/1/status"] = status_text(0, {kNone, kFull, kFull, kFull, kNone}, 0, 2);
    const auto rows = judge(facts_here(machine.reader()));
    CHECK(grade_of(rows, "user") == Grade::warn);
    CHECK(grade_of(rows, "capabilities_bounding") == Grade::ok);
    CHECK(grade_of(rows, "capabilities_permitted") == Grade::ok);
}

TEST_CASE("An effective file capability is warned of, and a foreign one fails", "[audit]")
{
    const auto [file, grade] = GENERATE(table<sys::FileCapability, Grade>({
        {{.permitted = sys::kNetBindService, .inheritable = 0, .effective = false}, Grade::ok},
        {{.permitted = sys::kNetBindService, .inheritable = 0, .effective = true}, Grade::warn},
        {{.permitted = sys::kNetBindService | 1, .inheritable = 0, .effective = false}, Grade::fail},
    }));
    Recorded machine = restricted_pod();
    machine.capabilities["/proc/self/exe"] = file;
    CHECK(grade_of(judge(facts_here(machine.reader())), "file_capability") == grade);
}

TEST_CASE("A limit of tasks that leaves no room for a second worker is warned of", "[audit]")
{
    const auto [limit, grade] = GENERATE(table<std::string, Grade>({{"16\n", Grade::ok}, {"15\n", Grade::warn}}));
    Recorded machine = restricted_pod();
    machine.files["/sys/fs/cgroup/pids.max"] = limit;
    CHECK(grade_of(judge(facts_here(machine.reader())), "tasks") == grade);
}

TEST_CASE("A pod or an ECS task without a limit of its own has nothing to mend: who limits it is not seen", "[audit]")
{
    Recorded machine = restricted_pod();
    machine.files["/sys/fs/cgroup/pids.max"] = "max\n";
    const auto rows = judge(facts_here(machine.reader()));
    CHECK(grade_of(rows, "tasks") == Grade::ok);
    CHECK_THAT(row_of(rows, "tasks").value, Contains("not seen from within"));
    machine.files["/sys/fs/cgroup/pids.max"] = "10\n";
    const Row low = row_of(judge(facts_here(machine.reader())), "tasks");
    CHECK(low.grade == Grade::warn);
    CHECK_THAT(low.value, Contains("16 let a new worker start"));
    CHECK_THAT(low.mend, Contains("for each pod of the node"));
}

TEST_CASE("A filter counts only if the process has installed it itself", "[audit]")
{
    const auto [filters, grade] =
        GENERATE(table<std::uint32_t, Grade>({{2, Grade::warn}, // its container's
                                              {3, Grade::warn}, // it serves, but not tightened
                                              {4, Grade::ok},
                                              {9, Grade::ok}}));
    ProcessFacts process = confined("worker", 0);
    process.status.filters = filters;
    const auto rows = judge(live_with(process));
    CHECK(grade_of(rows, "seccomp", "worker") == grade);
    CHECK_THAT(row_of(rows, "seccomp", "worker").value,
               Contains(std::to_string(filters - 2) + " of its own, 2 around"));
}

TEST_CASE("The starter has no filter of its own, and the gatekeeper's executable", "[audit]")
{
    ProcessFacts starter = confined("starter", 0);
    starter.starts_app = true;
    starter.own_filters = 0;
    starter.file = sys::FileCapability{.permitted = sys::kNetBindService, .inheritable = 0, .effective = false};
    const auto [filters, value, grade] = GENERATE(table<std::uint32_t, std::string, Grade>({
        {0, "no filter: it would bind the app as well", Grade::ok},
        {2, "0 of its own, 2 around it", Grade::ok},
        {3, "1 of its own, 2 around it; 0 are to be its own", Grade::warn},
    }));
    starter.status.filters = filters;
    starter.status.filtered = filters > 0;
    const auto rows = judge(live_with(starter));
    CHECK(row_of(rows, "seccomp", "starter").value == value);
    CHECK(grade_of(rows, "seccomp", "starter") == grade);
    CHECK(grade_of(rows, "file_capability", "starter") == Grade::ok);
    starter.status.capabilities.permitted = sys::kNetBindService;
    CHECK(grade_of(judge(live_with(starter)), "capabilities_permitted", "starter") == Grade::fail);
}

TEST_CASE("With an app, its tasks and its starter's come on top", "[audit]")
{
    const auto [limit, grade] = GENERATE(table<std::uint64_t, Grade>({{17, Grade::ok}, {16, Grade::warn}}));
    ProcessFacts starter = confined("starter", 0);
    starter.starts_app = true;
    Facts facts = live_with(starter);
    facts.shares.tasks = {.limit = limit, .used = 9};
    CHECK(grade_of(judge(facts), "tasks") == grade);
    CHECK_THAT(row_of(judge(facts), "tasks").value, Contains("the app's tasks come on top"));
    facts.processes = {confined("worker", 0)};
    CHECK(grade_of(judge(facts), "tasks") == Grade::ok);
    CHECK(row_of(judge(facts), "tasks").value == "limit " + std::to_string(limit) + ", now 9");
}

TEST_CASE("Whose a filter is, is not guessed", "[audit]")
{
    ProcessFacts process = confined("gatekeeper", sys::kNetBindService);
    process.filters_around.reset();
    const auto rows = judge(live_with(process));
    CHECK(grade_of(rows, "seccomp", "gatekeeper") == Grade::warn);
    CHECK_THAT(row_of(rows, "seccomp", "gatekeeper").value, Contains("not to be told"));
}

TEST_CASE("Shared memory that can be written to is mended by a line of its own", "[audit]")
{
    Facts facts;
    facts.runtime = sys::Runtime::docker;
    facts.mounts = Mounts{.root_read_only = true, .writable = {"/dev/shm"}};
    CHECK(row_of(judge(facts), "writable_mounts").mend == "docker run --ipc none …");
    facts.mounts->writable.emplace_back("/data");
    CHECK_THAT(row_of(judge(facts), "writable_mounts").mend, Contains(":ro …\ndocker run --ipc none"));
}

TEST_CASE("What is not dumpable before a start is said to be so", "[audit]")
{
    Recorded machine = restricted_pod();
    machine.owners["/proc/self/status"] = 0; // an executable with a file capability
    CHECK_THAT(row_of(judge(facts_here(machine.reader())), "dumpable").value, Contains("no, "));
    machine.owners["/proc/self/status"] = 65532;
    CHECK_THAT(row_of(judge(facts_here(machine.reader())), "dumpable").value, Contains("yes, "));
}

TEST_CASE("A confined process passes, whichever it is", "[audit]")
{
    const auto process = GENERATE(confined("gatekeeper", sys::kNetBindService), confined("worker", 0));
    for (const Row& row : judge(live_with(process)))
        if (!row.process.empty()) {
            CAPTURE(row.what, row.value);
            CHECK(row.grade == Grade::ok);
        }
}

TEST_CASE("What a running process has too much of fails", "[audit]")
{
    using Change = std::function<void(ProcessFacts&)>;
    const auto [what, change] = GENERATE(table<std::string, Change>({
        {"capabilities_permitted", [](ProcessFacts& p) { p.status.capabilities.permitted = sys::kNetBindService; }},
        {"capabilities_effective", [](ProcessFacts& p) { p.status.capabilities.effective = sys::kNetBindService; }},
        {"capabilities_inheritable", [](ProcessFacts& p) { p.status.capabilities.inheritable = 1; }},
        {"capabilities_ambient", [](ProcessFacts& p) { p.status.capabilities.ambient = 1; }},
        {"no_new_privs", [](ProcessFacts& p) { p.status.no_new_privs = false; }},
        {"dumpable", [](ProcessFacts& p) { p.dumpable = true; }},
        {"user", [](ProcessFacts& p) { p.status.uid = 0; }},
        {"environment", [](ProcessFacts& p) { p.secrets = {{{"PEM", true}}}; }},
    }));
    ProcessFacts process = confined("worker", 0);
    change(process);
    const auto rows = judge(live_with(process));
    CAPTURE(what);
    CHECK(grade_of(rows, what, "worker") == Grade::fail);
    CHECK_FALSE(row_of(rows, what, "worker").mend.empty());
    CHECK(std::ranges::count(rows, Grade::fail, &Row::grade) == 1);
}

TEST_CASE("What may not be read of a running process is a warning that says so", "[audit]")
{
    ProcessFacts process = confined("worker", 0);
    process.secrets.reset();
    process.file.reset();
    process.descriptors.reset();
    const auto rows = judge(live_with(process));
    for (const char* what : {"environment", "file_capability", "descriptors"}) {
        CHECK(grade_of(rows, what, "worker") == Grade::warn);
        CHECK_THAT(row_of(rows, what, "worker").value, Contains("may not be read"));
    }
    for (const char* what : {"root_filesystem", "writable_mounts", "user_namespace", "network_namespace"})
        CHECK_THAT(row_of(rows, what).value, Contains("may not be read"));
}

TEST_CASE("A family without one of its processes fails", "[audit]")
{
    Facts facts = live_with(confined("gatekeeper", sys::kNetBindService));
    facts.missing = {"worker"};
    CHECK(grade_of(judge(facts), "process", "worker") == Grade::fail);
}

TEST_CASE("Many writable mounts are counted, not listed", "[audit]")
{
    Facts facts;
    facts.mounts = Mounts{.root_read_only = true, .writable = {"/a", "/b", "/c", "/d", "/e", "/f", "/g"}};
    CHECK(row_of(judge(facts), "writable_mounts").value == "/a, /b, /c, /d, /e and 2 more");
}

TEST_CASE("A report is a table for people and one object for programs", "[audit]")
{
    Report report{.live = false,
                  .runtime = sys::Runtime::docker,
                  .rows = {{Grade::ok, "", "runtime", "docker", ""},
                           {Grade::warn, "", "writable_mounts", "/a\x1b[2J\"", "one\ntwo"},
                           {Grade::ok, "here", "user", "uid 1", ""}}};
    CHECK_FALSE(report.failed());
    CHECK(as_text(report) == "what a start would find here (docker)\n\nthe place\n"
                             "  ok    runtime                   docker\n"
                             "  warn  writable_mounts           /a\\u001b[2J\\\"\n"
                             "        one\n        two\n"
                             "\nhere\n  ok    user                      uid 1\n"
                             "\n2 ok, 1 warn, 0 fail\n");
    CHECK(as_json(report) ==
          "{\"live\":false,\"runtime\":\"docker\",\"ok\":2,\"warn\":1,\"fail\":0,\"rows\":[\n"
          R"({"grade":"ok","process":"","what":"runtime","value":"docker","mend":""},)"
          "\n"
          R"({"grade":"warn","process":"","what":"writable_mounts","value":"/a\u001b[2J\"","mend":"one\ntwo"},)"
          "\n"
          R"({"grade":"ok","process":"here","what":"user","value":"uid 1","mend":""}]})"
          "\n");
    report.rows.push_back({Grade::fail, "here", "x", "y", "z"});
    CHECK(report.failed());
}
