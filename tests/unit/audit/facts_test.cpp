#include "sallyport/audit/facts.hpp"

#include <array>

#include "recorded.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::audit;

namespace {

constexpr std::array kRoles{Role{"gatekeeper", "sallyport", sys::kNetBindService, 1},
                            Role{"keyholder", "sallyport-keyholder", 0, 1}, Role{"worker", "sallyport-worker", 0, 2}};

const std::string kReadOnlyContainer =
    "620 511 0:51 / / ro,relatime master:1 - overlay overlay rw,lowerdir=a,upperdir=b\n"
    "621 620 0:54 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
    "622 620 0:55 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755\n"
    "623 622 0:56 / /dev/pts rw,nosuid,noexec - devpts devpts rw,gid=5,mode=620\n"
    "624 620 0:57 / /sys ro,nosuid,nodev,noexec - sysfs sysfs ro\n"
    "625 620 259:1 /data /run/secrets ro,relatime - ext4 /dev/nvme0n1p1 rw\n"
    "628 622 0:59 / /dev/shm rw,nosuid,nodev,noexec - tmpfs shm rw,size=65536k\n"
    "629 622 0:60 / /dev/null rw,nosuid - tmpfs tmpfs rw\n"
    "626 620 259:1 /cache /var/cache/app rw,relatime - ext4 /dev/nvme0n1p1 rw\n"
    "627 620 0:58 / /mnt rw,relatime - nfs4 host:/x ro,vers=4.2\n";

void add_process(Recorded& machine, const std::string& pid, const std::string& name, const std::string& parent,
                 const std::vector<std::string>& thread_statuses)
{
    const std::string root = "/proc/" + pid + "/";
    machine.files[root + "comm"] = name + "\n";
    machine.files[root + "stat"] = pid + " (" + name + ") S " + parent + " 1 1 0 -1";
    machine.files[root + "limits"] = kLimits;
    machine.owners[root + "status"] = 0;
    for (std::size_t i = 0; i < thread_statuses.size(); ++i)
        machine.files[root + "task/" + std::to_string(i + 1) + "/status"] = thread_statuses[i];
}

Recorded family()
{
    Recorded machine;
    const std::string bare = status_text(65532, {kNone, kNone, kNone, kNone, kNone}, 1, 2);
    add_process(machine, "800", "sallyport", "1", {status_text(65532, {kNone, kBind, kNone, kNone, kNone}, 1, 2)});
    add_process(machine, "801", "sallyport-keyho", "800", {bare, bare});
    add_process(machine, "802", "sallyport-worke", "800", {bare, bare, bare});
    add_process(machine, "803", "sallyport-worke", "700", {bare}); // of another family
    add_process(machine, "804", "sleep", "800", {bare});
    return machine;
}

} // namespace

TEST_CASE("The root is read-only if its mount is, and other writable mounts are named", "[audit]")
{
    const auto mounts = parse_mounts(kReadOnlyContainer);
    REQUIRE(mounts);
    CHECK(mounts->root_read_only);
    CHECK(mounts->writable == std::vector<std::string>{"/dev/shm", "/var/cache/app"});
    CHECK_FALSE(parse_mounts("23 1 254:0 / / rw,noatime - ext4 /dev/vda rw\n")->root_read_only);
    CHECK(parse_mounts("23 1 254:0 / / rw,noatime - ext4 /dev/vda ro\n")->root_read_only);
}

TEST_CASE("The mount that covers another root counts", "[audit]")
{
    CHECK(parse_mounts("1 1 0:2 / / rw - rootfs rootfs rw\n23 1 254:0 / / ro - ext4 /dev/vda rw\n")->root_read_only);
}

TEST_CASE("A text that is no mount table is refused", "[audit]")
{
    const auto text =
        GENERATE(as<std::string>{}, "", "\n", "23 1 254:0 / / rw", " - ", "23 1 254:0 / /x rw - ext4 a rw");
    CHECK_FALSE(parse_mounts(text));
}

TEST_CASE("The limit of descriptors is read from its row", "[audit]")
{
    CHECK(parse_descriptor_limit(kLimits) == DescriptorLimit{1024, 1048576});
    CHECK_FALSE(parse_descriptor_limit(""));
    CHECK_FALSE(parse_descriptor_limit("Max open files\n"));
    CHECK_FALSE(parse_descriptor_limit("Max open files unlimited unlimited files\n"));
}

TEST_CASE("A variable is a secret by its value or by its name, and its value is not kept", "[audit]")
{
    const auto [entry, expected] = GENERATE(table<std::string, std::vector<Secret>>({
        {"SALLYPORT_KEY=-----BEGIN PRIVATE KEY-----\nMIGH", {{"SALLYPORT_KEY", true}}},
        {"TLS=-----BEGIN EC PRIVATE KEY-----", {{"TLS", true}}},
        {"TLS=LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t", {{"TLS", true}}},
        {"TLS=LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", {}},
        {"TLS=LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0=", {}}, // a public key
        {"TLS=LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQot\n"
         "LS0tLUJFR0lOIFBSSVZBVEUgS0VZLS0tLS0KTUlHSAo=",
         {{"TLS", true}}},                                   // a certificate and its key
        {"TLS=LS0tLS1CRUdJTiBQUklWQVRF!", {{"TLS", false}}}, // begins as PEM and cannot be decoded
        {"DATABASE_URL=postgres://app:hunter2@db.internal:5432/app", {{"DATABASE_URL", false}}},
        {"BROKERS=amqp://a@x,amqp://b:c@y", {{"BROKERS", false}}},
        {"DATABASE_URL=postgres://app@db.internal/app?x=:@", {}},
        {"DATABASE_URL=postgres://app:@db.internal/app", {}},
        {"HOME_PAGE=https://example.com:8443/a:b@c", {}},
        {"SALLYPORT_KEY=tls.key", {}},
        {"SALLYPORT_PASSPHRASE=env:TLS_PASS", {}},
        {"SALLYPORT_CERT=secrets/tls.crt", {}},
        {"API_KEY=./api.key", {}},
        {"TLS=-----BEGIN CERTIFICATE-----", {}},
        {"AWS_SECRET_ACCESS_KEY=x", {{"AWS_SECRET_ACCESS_KEY", false}}},
        {"db_password=x", {{"db_password", false}}},
        {"GITHUB_TOKEN=x", {{"GITHUB_TOKEN", false}}},
        {"SALLYPORT_KEY=/run/secrets/tls.key", {}},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=x", {}},
        {"API_KEY=", {}},
        {"PATH=/usr/bin", {}},
        {"KEYBOARD=de", {}},
        {"no equals sign TOKEN", {}},
    }));
    CAPTURE(entry);
    CHECK(parse_secrets(entry + std::string(1, '\0') + "HOME=/") == expected);
}

TEST_CASE("A running family is the gatekeeper and those children that are its roles", "[audit]")
{
    const Recorded machine = family();
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    CHECK(facts->live);
    CHECK(facts->missing.empty());
    REQUIRE(facts->processes.size() == 3);
    CHECK(facts->processes[0].name == "gatekeeper");
    CHECK(facts->processes[0].lawful == sys::kNetBindService);
    CHECK(facts->processes[1].name == "keyholder");
    CHECK(facts->processes[2].name == "worker");
    CHECK(facts->processes[2].dumpable == std::optional{false});
    CHECK(facts->processes[2].descriptors == std::optional{DescriptorLimit{1024, 1048576}});
}

TEST_CASE("The starter of an app is one of the family, and was forked before its head was confined", "[audit]")
{
    const std::array roles{kRoles[0], kRoles[1], kRoles[2],
                           Role{.name = "starter", .executable = "sallyport-starter", .starts_app = true}};
    Recorded machine = family();
    CHECK(facts_of_family(machine.reader(), 800, roles)->missing.empty());
    const std::string bare = status_text(65533, {kNone, kNone, kNone, kNone, kNone}, 1, 2, 3);
    add_process(machine, "805", "sallyport-start", "800", {bare});
    machine.files["/proc/800/status"] = status_text(65532, {kNone, kBind, kNone, kNone, kNone}, 1, 2, 4);
    machine.files["/proc/1/status"] = status_text(0, {kNone, kNone, kNone, kNone, kNone}, 0, 2, 3);
    const auto facts = facts_of_family(machine.reader(), 800, roles);
    REQUIRE(facts->processes.size() == 4);
    CHECK(facts->processes[3].name == "starter");
    CHECK(facts->processes[3].status.uid == 65533);
    CHECK(facts->processes[3].filters_around == facts->processes[0].filters_around);
    CHECK(facts->processes[3].filters_around == 3U);
}

TEST_CASE("What may not be read is not guessed", "[audit]")
{
    const Recorded machine = family();
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    CHECK_FALSE(facts->network_namespace);
    CHECK_FALSE(facts->port_start);
    CHECK_FALSE(facts->mounts);
    CHECK_FALSE(facts->processes[0].secrets);
    CHECK_FALSE(facts->processes[0].file);
}

TEST_CASE("One thread that has more makes the whole process have it", "[audit]")
{
    Recorded machine = family();
    machine.files["/proc/802/task/3/status"] = status_text(65532, {kNone, kNone, kNone, kFull, kNone}, 0, 0);
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    const sys::StatusFacts& worker = facts->processes[2].status;
    CHECK(worker.capabilities.bounding == 0x1ffffffffff);
    CHECK_FALSE(worker.no_new_privs);
    CHECK_FALSE(worker.filtered);
    CHECK(worker.filters == std::optional{0U});
}

TEST_CASE("The filters around a gatekeeper are its parent's, where that stands within the same cage", "[audit]")
{
    const std::array sets{kNone, kNone, kNone, kNone, kNone};
    Recorded machine = family();
    machine.files["/proc/800/status"] = status_text(65532, sets, 1, 2, 3) + "NSpid:\t800\n";
    const auto around = [&] { return facts_of_family(machine.reader(), 800, kRoles)->processes[0].filters_around; };
    CHECK_FALSE(around());

    machine.files["/proc/1/status"] = status_text(0, sets, 0, 2, 2) + "NSpid:\t1\n";
    CHECK(around() == std::optional{2U});
    machine.files["/proc/1/status"] = status_text(0, sets, 0, 0) + "NSpid:\t1\n";
    CHECK(around() == std::optional{0U}); // a plain machine

    machine.variables["container"] = "podman"; // its monitor may have no filter, and the container one
    CHECK_FALSE(around());
    machine.files["/proc/1/status"] = status_text(0, sets, 0, 2, 1) + "NSpid:\t1\n";
    CHECK(around() == std::optional{1U});
    machine.files["/proc/800/status"] = status_text(65532, sets, 1, 2, 3) + "NSpid:\t800\t1\n";
    CHECK_FALSE(around()); // the first process of a container, seen from outside
}

TEST_CASE("The filters around the first process of our own container are ours", "[audit]")
{
    Recorded machine = family();
    machine.variables["container"] = "podman";
    machine.files["/proc/800/stat"] = "800 (sallyport) S 0 1 1 0";
    machine.files["/proc/self/status"] = status_text(65532, {kNone, kNone, kNone, kNone, kNone}, 0, 2, 1);
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    CHECK(facts->processes[0].filters_around == std::optional{1U});
    CHECK(facts->processes[0].own_filters == 1);
}

TEST_CASE("The filters around a child are its gatekeeper's", "[audit]")
{
    Recorded machine = family();
    machine.files["/proc/800/task/1/status"] = status_text(65532, {kNone, kBind, kNone, kNone, kNone}, 1, 2, 4);
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    CHECK(facts->processes[1].filters_around == std::optional{4U});
    CHECK(facts->processes[2].filters_around == std::optional{4U});
    CHECK(facts->processes[2].own_filters == 2);
}

TEST_CASE("A role that nobody plays is missing", "[audit]")
{
    Recorded machine = family();
    machine.files["/proc/801/stat"] = "801 (a) b) S 1 1 1 0"; // its parent has died
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    CHECK(facts->missing == std::vector<std::string>{"keyholder"});
}

TEST_CASE("A process that is no gatekeeper is refused", "[audit]")
{
    const Recorded machine = family();
    CHECK(facts_of_family(machine.reader(), 4242, kRoles).error() == "there is no process 4242, or it may not be seen");
    CHECK(facts_of_family(machine.reader(), 802, kRoles).error().starts_with("process 802 is not sallyport"));
    CHECK(facts_of_family(machine.reader(), 804, kRoles).error().starts_with("process 804 is not sallyport"));
}

TEST_CASE("The sysctl of low ports is that of the reader's network namespace, or not known", "[audit]")
{
    Recorded machine = family();
    machine.files["/proc/sys/net/ipv4/ip_unprivileged_port_start"] = "1024\n";
    machine.links["/proc/self/ns/net"] = "net:[1]";
    machine.links["/proc/800/ns/net"] = GENERATE(as<std::string>{}, "net:[1]", "net:[2]");
    const auto facts = facts_of_family(machine.reader(), 800, kRoles);
    REQUIRE(facts);
    CHECK(facts->port_start.has_value() == (machine.links["/proc/800/ns/net"] == "net:[1]"));
}

TEST_CASE("The machine's own user namespace maps everybody to himself", "[audit]")
{
    const auto [map, initial] = GENERATE(table<std::string, bool>({
        {"         0          0 4294967295\n", true},
        {"         0       1000          1\n         1     100000      65536\n", false},
        {"         0     100000      65536\n", false},
    }));
    Recorded machine;
    machine.files["/proc/self/uid_map"] = map;
    CHECK(facts_here(machine.reader()).initial_user_namespace == std::optional{initial});
}

TEST_CASE("The runtime is recognised in the family's own environment where that may be read", "[audit]")
{
    Recorded machine = family();
    machine.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1"; // of whoever asks
    CHECK(facts_of_family(machine.reader(), 800, kRoles)->runtime == sys::Runtime::kubernetes);
    machine.files["/proc/800/environ"] = std::string{"A=1\0ECS_CONTAINER_METADATA_URI_V4=http://x\0", 44};
    machine.owners["/proc/800/root/"] = 0;
    CHECK(facts_of_family(machine.reader(), 800, kRoles)->runtime == sys::Runtime::ecs);
}

TEST_CASE("This machine can be looked at", "[audit]")
{
    const Facts facts = facts_here(this_machine());
    REQUIRE(facts.processes.size() == 1);
    CHECK_FALSE(facts.live);
    CHECK(facts.processes[0].descriptors);
    CHECK(facts.processes[0].secrets);
    CHECK(facts.network_namespace);
    CHECK(facts.mounts);
}
