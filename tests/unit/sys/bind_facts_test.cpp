#include "sallyport/sys/bind_facts.hpp"

#include <map>
#include <set>
#include <vector>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport::sys;

namespace {

constexpr std::string_view kStatus = "Name:\tsallyport\n"
                                     "Uid:\t1000\t65532\t65532\t65532\n"
                                     "Gid:\t0\t0\t0\t0\n"
                                     "CapInh:\t0000000000000001\n"
                                     "CapPrm:\t0000000000000400\n"
                                     "CapEff:\t0000000000000002\n"
                                     "CapBnd:\t000001ffffffffff\n"
                                     "CapAmb:\t0000000000000004\n"
                                     "NoNewPrivs:\t1\n"
                                     "Seccomp:\t2\n";

std::string without(std::string text, const std::string& line_start)
{
    const std::size_t start = text.find(line_start);
    REQUIRE(start != std::string::npos);
    return text.erase(start, text.find('\n', start) + 1 - start);
}

std::vector<std::byte> attribute(std::initializer_list<unsigned> words)
{
    std::vector<std::byte> bytes;
    for (const unsigned word : words)
        for (unsigned shift = 0; shift < 32; shift += 8)
            bytes.push_back(static_cast<std::byte>(word >> shift & 0xFF));
    return bytes;
}

Runtime recognise(const std::map<std::string, std::string, std::less<>>& variables,
                  const std::set<std::string, std::less<>>& files = {}, const std::string& cgroup = "")
{
    return recognise_runtime({
        .environment = [&](std::string_view variable) -> std::optional<std::string> {
            const auto found = variables.find(variable);
            return found == variables.end() ? std::nullopt : std::optional{found->second};
        },
        .exists = [&](std::string_view path) { return files.contains(path); },
        .cgroup = cgroup,
    });
}

} // namespace

TEST_CASE("A status text gives the five sets, no_new_privs and the effective user", "[sys][bind_facts]")
{
    const auto status = parse_status(kStatus);
    REQUIRE(status);
    CHECK(status->capabilities ==
          CapabilitySets{
              .inheritable = 1, .permitted = kNetBindService, .effective = 2, .bounding = 0x1FFFFFFFFFF, .ambient = 4});
    CHECK(status->no_new_privs);
    CHECK(status->uid == 65532);
    CHECK(status->gid == 0);
    CHECK(status->filtered);
}

TEST_CASE("Only a filter is a filter: strict mode and none are not", "[sys][bind_facts]")
{
    const std::string rest = without(std::string{kStatus}, "Seccomp");
    CHECK_FALSE(parse_status(rest)->filtered);
    CHECK_FALSE(parse_status(rest + "Seccomp:\t0\n")->filtered);
    CHECK_FALSE(parse_status(rest + "Seccomp:\t1\n")->filtered);
    CHECK(parse_status(rest + "Seccomp:\t2\n")->filtered);
}

TEST_CASE("Lines that old kernels do not print have their old meaning", "[sys][bind_facts]")
{
    CHECK(parse_status(without(std::string{kStatus}, "NoNewPrivs"))->no_new_privs == false);
    CHECK(parse_status(without(std::string{kStatus}, "CapAmb"))->capabilities.ambient == 0);
}

TEST_CASE("A text that is no status is refused", "[sys][bind_facts]")
{
    CHECK_FALSE(parse_status(""));
    CHECK_FALSE(parse_status("CapPrm:\n"));
    for (const char* line : {"Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd"})
        CHECK_FALSE(parse_status(without(std::string{kStatus}, line)));
}

TEST_CASE("A file capability is read in every revision", "[sys][bind_facts]")
{
    CHECK(parse_file_capability(attribute({0x02000000, 0x400, 0, 0, 0})) ==
          FileCapability{.permitted = kNetBindService, .inheritable = 0, .effective = false});
    CHECK(parse_file_capability(attribute({0x02000001, 0x400, 0x400, 0x1, 0x2})) ==
          FileCapability{.permitted = 0x100000400, .inheritable = 0x200000400, .effective = true});
    CHECK(parse_file_capability(attribute({0x03000000, 0x400, 0, 0, 0, 1000})) ==
          FileCapability{.permitted = kNetBindService, .inheritable = 0, .effective = false});
    CHECK(parse_file_capability(attribute({0x01000001, 0x400, 0x8})) ==
          FileCapability{.permitted = kNetBindService, .inheritable = 8, .effective = true});
}

TEST_CASE("Bytes that are no file capability are refused", "[sys][bind_facts]")
{
    CHECK_FALSE(parse_file_capability({}));
    CHECK_FALSE(parse_file_capability(attribute({0x02000000})));
    CHECK_FALSE(parse_file_capability(attribute({0x02000000, 0x400, 0, 0, 0, 0})));
    CHECK_FALSE(parse_file_capability(attribute({0x04000000, 0x400, 0, 0, 0, 0})));
    CHECK_FALSE(parse_file_capability(std::vector<std::byte>(3)));
}

TEST_CASE("Each runtime is recognised by its traces, the innermost first", "[sys][bind_facts]")
{
    CHECK(recognise({}) == Runtime::plain);
    CHECK(recognise({{"ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/x"}}, {"/.dockerenv"}) == Runtime::ecs);
    CHECK(recognise({{"ECS_CONTAINER_METADATA_URI", "http://169.254.170.2/v3/x"}}) == Runtime::ecs);
    CHECK(recognise({{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}) == Runtime::kubernetes);
    CHECK(recognise({}, {"/var/run/secrets/kubernetes.io", "/.dockerenv"}) == Runtime::kubernetes);
    CHECK(recognise({{"container", "podman"}}) == Runtime::podman);
    CHECK(recognise({}, {"/run/.containerenv"}) == Runtime::podman);
    CHECK(recognise({}, {"/.dockerenv"}) == Runtime::docker);
    CHECK(recognise({}, {}, "4:cpu:/docker/1f2e\n0::/\n") == Runtime::docker);
    CHECK(recognise({{"INVOCATION_ID", "1f2e"}}, {}, "0::/system.slice/sallyport.service\n") == Runtime::systemd);
    CHECK(recognise({{"INVOCATION_ID", "1f2e"}}, {}, "0::/user.slice/user-1000.slice/session-2.scope\n") ==
          Runtime::plain);
    CHECK(recognise({}, {}, "0::/system.slice/ssh.service\n") == Runtime::plain);
}

TEST_CASE("Every runtime has a name of its own", "[sys][bind_facts]")
{
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Runtime::plain); ++i)
        names.insert(name(static_cast<Runtime>(i)));
    CHECK(names.size() == static_cast<std::size_t>(Runtime::plain) + 1);
}

TEST_CASE("The facts collected here are this process's own", "[sys][bind_facts]")
{
    const BindFacts facts = collect_bind_facts();
    CHECK(facts.status.capabilities == capability_sets());
    CHECK(facts.status.uid == ::geteuid());
    CHECK(facts.unprivileged_port_start.has_value());
    CHECK_FALSE(facts.file_capability.has_value());
    CHECK(sallyport::test::in_child([] {
              MUST(drop_all_capabilities());
              MUST(collect_bind_facts().status.capabilities.permitted == 0);
          }) == 0);
}
