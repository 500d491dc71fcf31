#include "gatekeeper/diagnosis.hpp"

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using Catch::Contains;
using sys::BindFacts;
using sys::Runtime;

namespace {

// As /proc/self/status shows it in a container of Docker's defaults for a user that is not root: bounding only.
constexpr std::uint64_t kDockerDefault = 0x00000000a80425fb;
constexpr std::uint64_t kFull = 0x000001ffffffffff;
constexpr sys::FileCapability kPermittedOnFile{.permitted = sys::kNetBindService, .inheritable = 0, .effective = false};

BindFacts facts(std::uint32_t uid, std::uint64_t permitted, std::uint64_t bounding,
                std::optional<sys::FileCapability> file, bool no_new_privs, Runtime runtime = Runtime::docker)
{
    BindFacts made;
    made.status.uid = uid;
    made.status.capabilities.permitted = permitted;
    made.status.capabilities.bounding = bounding;
    made.status.no_new_privs = no_new_privs;
    made.file_capability = file;
    made.unprivileged_port_start = 1024;
    made.runtime = runtime;
    return made;
}

const Need kNeed{.port = 443, .lowest_port = 80, .executable = "/usr/bin/sallyport"};

} // namespace

TEST_CASE("The verdict names the link that lost the right to bind", "[gatekeeper][diagnosis]")
{
    struct Case {
        const char* what;
        BindFacts given;
        Verdict verdict;
    };
    const Case one = GENERATE(values<Case>({
        {"moby#8460: --cap-add for a user that is not root", facts(10001, 0, kDockerDefault, {}, false),
         Verdict::no_file_capability},
        {"the same under no_new_privs", facts(10001, 0, kDockerDefault, {}, true), Verdict::no_file_capability},
        {"caddy#6940: drop ALL with a file capability", facts(10001, 0, 0, kPermittedOnFile, false),
         Verdict::dropped_from_bounding},
        {"Fargate with drop ALL", facts(10001, 0, 0, {}, false, Runtime::ecs), Verdict::dropped_from_bounding},
        {"root with drop ALL", facts(0, 0, 0, {}, false), Verdict::dropped_from_bounding},
        {"ingress-nginx#7445: tini in front, no_new_privs", facts(101, 0, kDockerDefault, kPermittedOnFile, true),
         Verdict::no_new_privs},
        {"a nosuid mount", facts(101, 0, kFull, kPermittedOnFile, false), Verdict::file_ignored},
        {"root under securebits", facts(0, 0, kFull, {}, false), Verdict::root_without},
        {"a rootless container on the host's network", facts(0, kFull, kFull, {}, false), Verdict::held_but_refused},
    }));
    CAPTURE(one.what);
    CHECK(verdict_of(one.given, 443) == one.verdict);
    CHECK_FALSE(sentence(one.verdict).empty());
}

TEST_CASE("A port that the sysctl leaves to everybody was refused by another guard", "[gatekeeper][diagnosis]")
{
    BindFacts given = facts(10001, 0, 0, {}, false);
    CHECK(verdict_of(given, 1024) == Verdict::not_about_ports);
    given.unprivileged_port_start = 443;
    CHECK(verdict_of(given, 443) == Verdict::not_about_ports);
    CHECK(verdict_of(given, 442) == Verdict::dropped_from_bounding);
    given.unprivileged_port_start.reset();
    CHECK(verdict_of(given, 1023) == Verdict::dropped_from_bounding);
    CHECK_THAT(diagnosis(":8443", {.port = 8443, .lowest_port = 8443, .executable = "/s"}, given),
               Contains("SELinux") && !Contains("mends"));
}

TEST_CASE("The diagnosis shows all five capability sets and every other fact", "[gatekeeper][diagnosis]")
{
    const std::string text = diagnosis(":443", kNeed, facts(10001, 0, kDockerDefault, kPermittedOnFile, true));
    CHECK_THAT(text, Contains("cannot bind :443: permission denied"));
    for (const char* line :
         {"permitted        no (CapPrm 0000000000000000)", "effective        no (CapEff", "inheritable      no (CapInh",
          "bounding         yes (CapBnd 00000000a80425fb)", "ambient          no (CapAmb"})
        CHECK_THAT(text, Contains(line));
    CHECK_THAT(text, Contains("user id                               10001\n"));
    CHECK_THAT(text, Contains("no_new_privs                          yes\n"));
    CHECK_THAT(text, Contains("net.ipv4.ip_unprivileged_port_start   1024\n"));
    CHECK_THAT(text, Contains("cap_net_bind_service=p on /usr/bin/sallyport\n"));
    CHECK_THAT(text, Contains("runtime recognised                    " + std::string{name(Runtime::docker)}));
    CHECK_THAT(text, Contains("a shell, tini or another init in front loses it"));
}

TEST_CASE("The remedy is written in the words of the runtime that was recognised, with the lowest port of all",
          "[gatekeeper][diagnosis]")
{
    const auto [runtime, expected] = GENERATE(table<Runtime, std::vector<std::string>>({
        {Runtime::ecs,
         {R"("systemControls": [{ "namespace": "net.ipv4.ip_unprivileged_port_start", "value": "80" }])",
          "initProcessEnabled", "RUN setcap cap_net_bind_service=p /usr/bin/sallyport"}},
        {Runtime::kubernetes,
         {"- name: net.ipv4.ip_unprivileged_port_start\n          value: \"80\"\n",
          R"(capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] })"}},
        {Runtime::docker,
         {"docker run --sysctl net.ipv4.ip_unprivileged_port_start=80 ",
          "sysctls:\n        net.ipv4.ip_unprivileged_port_start: 80\n",
          "docker run --cap-drop ALL --cap-add NET_BIND_SERVICE"}},
        {Runtime::podman, {"podman run --sysctl net.ipv4.ip_unprivileged_port_start=80 "}},
        {Runtime::systemd,
         {"AmbientCapabilities=CAP_NET_BIND_SERVICE", "ListenStream=443\n", "FileDescriptorName=https"}},
        {Runtime::plain,
         {"setcap cap_net_bind_service=p /usr/bin/sallyport", "sysctl -w net.ipv4.ip_unprivileged_port_start=80",
          "AmbientCapabilities=", "docker run --sysctl"}},
    }));
    CAPTURE(name(runtime));
    const std::string text = diagnosis(":443", kNeed, facts(10001, 0, kDockerDefault, {}, false, runtime));
    for (const std::string& line : expected)
        CHECK_THAT(text, Contains(line));
    CHECK_THAT(text, !Contains("@") && !Contains("+ep"));
}
