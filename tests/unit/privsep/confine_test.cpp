#include "sallyport/privsep/confine.hpp"

#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/identity.hpp"
#include "sallyport/sys/landlock.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/seccomp.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::privsep;

namespace {

// For what every level has: a child of these tests reads /proc afterwards.
constexpr ipc::SandboxSettings kNoCage{.level = ipc::SandboxLevel::none, .seccomp = ipc::SeccompMode::enforce};

sys::StatusFacts own_status()
{
    std::ifstream file{"/proc/self/status"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto status = sys::parse_status(text);
    test::must(status.has_value(), "our own status can be read");
    return *status;
}

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("Keyholder and worker end up without any capability", "[privsep][confine]")
{
    test::needs_root();
    const Process process = GENERATE(Process::keyholder, Process::worker);
    CHECK(test::in_child([&] {
              confine(profile(process), kNoCage);
              const sys::StatusFacts now = own_status();
              MUST(now.capabilities == sys::CapabilitySets{});
              MUST(now.no_new_privs);
              MUST(sys::dumpable() == sys::kStaysDumpable);
              MUST(sys::core_dumps_forbidden() == true);
          }) == 0);
}

TEST_CASE("The gatekeeper keeps the bind capability permitted, and nothing else", "[privsep][confine]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(sys::become_user(65532, 65532));
              confine(profile(Process::gatekeeper), kNoCage);
              const sys::StatusFacts now = own_status();
              MUST(now.capabilities == sys::CapabilitySets{.permitted = sys::kNetBindService});
              MUST(now.no_new_privs);
              MUST(now.uid == 65532);
              MUST(sys::RaisedNetBindService{}.raised());
          }) == 0);
}

TEST_CASE("A gatekeeper that was started without the capability is confined all the same", "[privsep][confine]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(::setuid(65532) == 0); // as an unprivileged user starts it
              confine(profile(Process::gatekeeper), kNoCage);
              const sys::StatusFacts now = own_status();
              MUST(now.capabilities.permitted == 0);
              MUST(now.capabilities.bounding != 0);
              MUST(now.no_new_privs);
              confine(profile(Process::worker), kNoCage); // and what is confined can be confined further
          }) == 0);
}

TEST_CASE("The descriptor limit is raised for those who need descriptors", "[privsep][confine]")
{
    const auto [process, soft] = GENERATE(
        table<Process, rlim_t>({{Process::gatekeeper, 100}, {Process::keyholder, 50}, {Process::worker, 100}}));
    CHECK(test::in_child([&, p = process, expected = soft] {
              const rlimit narrow{50, 100};
              MUST(::setrlimit(RLIMIT_NOFILE, &narrow) == 0);
              confine(profile(p), kNoCage);
              rlimit now{};
              MUST(::getrlimit(RLIMIT_NOFILE, &now) == 0);
              MUST(now.rlim_cur == expected);
          }) == 0);
}

TEST_CASE("What was done goes to the audit stream", "[privsep][confine]")
{
    test::needs_root();
    const auto captured = test::capture_child([] {
        confine(profile(Process::worker), kNoCage);
        log::start({.level = log::Level::none, .process = "worker"});
        log::stop();
    });
    REQUIRE(captured.status == 0);
    CAPTURE(captured.output);
    CHECK(has(captured.output,
              R"("stream":"audit","event":"confined","profile":"worker","permitted_capabilities":"none")"));
    CHECK(has(captured.output, R"("bounding_set":"empty","no_new_privs":true)"));
    CHECK(has(captured.output, R"("event":"descriptor limit raised")"));
    CHECK_FALSE(has(captured.output, R"("guard":"empty bounding set")"));
}

TEST_CASE("A guard that cannot be had is told", "[privsep][confine]")
{
    test::needs_root();
    const auto captured = test::capture_child([] {
        MUST(::setuid(65532) == 0);
        confine(profile(Process::keyholder), kNoCage);
        log::start({.process = "keyholder"});
        log::stop();
    });
    REQUIRE(captured.status == 0);
    CAPTURE(captured.output);
    CHECK(has(captured.output, R"("bounding_set":"kept")"));
    CHECK(has(captured.output, R"("event":"guard not available","guard":"empty bounding set")"));
    CHECK(has(captured.output, R"("guard":"not dumpable")") == sys::kStaysDumpable);
}

TEST_CASE("Each process is caged and proves it", "[privsep][confine]")
{
    test::needs_root();
    const auto [process, landlock] = GENERATE(table<Process, std::string>({{Process::gatekeeper, "none"},
                                                                           {Process::keyholder, "files,network,scopes"},
                                                                           {Process::worker, "files,network,scopes"}}));
    if (!sys::available_guards().scopes) return; // the audit line of an older kernel says less
    const auto captured = test::capture_child([&, p = process] {
        const auto filter = confine(profile(p), {}, {.connect_ports = {7766}, .ipv4 = true}).seccomp;
        log::start({.process = "child"});
        if (p == Process::worker) tighten(profile(p), filter);
        log::stop();
    });
    CAPTURE(captured.output);
    REQUIRE(captured.status == 0);
    CHECK(has(captured.output, "\"landlock\":\"" + landlock + "\""));
    CHECK(has(captured.output, R"("seccomp":"enforce")"));
}

TEST_CASE("A call outside the profile ends the process", "[privsep][confine]")
{
    const auto [process, status] = GENERATE(table<Process, int>(
        {{Process::gatekeeper, 0}, {Process::keyholder, sys::kTrappedExit}, {Process::worker, sys::kTrappedExit}}));
    CHECK(test::in_child([p = process] {
              confine(profile(p), {});
              static_cast<void>(::bind(-1, nullptr, 0));
          }) == status);
}

TEST_CASE("A filter that logs ends nothing", "[privsep][confine]")
{
    CHECK(test::in_child([] {
              confine(profile(Process::worker), {.seccomp = ipc::SeccompMode::log});
              MUST(sys::is_filtered() == true);
              static_cast<void>(::bind(-1, nullptr, 0));
          }) == 0);
}

TEST_CASE("Without a filter there is Landlock, and without a sandbox neither", "[privsep][confine]")
{
    if (!sys::available_guards().files || sys::kReadsAllFiles) return;
    const auto [level, listed] = GENERATE(
        table<ipc::SandboxLevel, bool>({{ipc::SandboxLevel::enforce, false}, {ipc::SandboxLevel::none, true}}));
    CHECK(test::in_child([l = level, can_list = listed] {
              confine(profile(Process::worker), {.level = l, .seccomp = ipc::SeccompMode::none});
              MUST(sys::is_filtered() == false);
              MUST(static_cast<bool>(UniqueFd{::open("/", O_RDONLY | O_DIRECTORY)}) == can_list);
          }) == 0);
}

TEST_CASE("A required guard that cannot be had is fatal, and an enforced one is told", "[privsep][confine]")
{
    // The kernel's seccomp and Landlock, taken away by a filter that answers as a kernel without them does.
    const auto without = [](const char* call) {
        MUST(sys::set_no_new_privs());
        MUST(sys::install({.otherwise = sys::Verdict::allow, .rules = {{call, sys::Verdict::absent, {}}}},
                          sys::Threads::caller));
    };
    CHECK(test::in_child([&] {
              without("landlock_create_ruleset");
              try {
                  confine(profile(Process::worker), {.level = ipc::SandboxLevel::required});
                  MUST(!"confined without Landlock");
              } catch (const StartError& error) {
                  MUST(error.code() == ExitCode::os_error);
                  MUST(has(error.what(), "cannot confine the worker: landlock: sandbox.level is 'required'"));
              }
          }) == 0);
    const auto captured = test::capture_child([&] {
        without("landlock_create_ruleset");
        confine(profile(Process::worker), {});
        log::start({.process = "worker"});
        log::stop();
    });
    CAPTURE(captured.output);
    CHECK(captured.status == 0);
    CHECK(has(captured.output, R"("event":"guard not available","guard":"landlock","needs":"Linux 5.13)"));
    CHECK(has(captured.output, R"("landlock":"none")"));
}
