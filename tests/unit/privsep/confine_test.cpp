#include "sallyport/privsep/confine.hpp"

#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/identity.hpp"
#include "sallyport/sys/process.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::privsep;

namespace {

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
              confine(profile(process));
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
              confine(profile(Process::gatekeeper));
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
              confine(profile(Process::gatekeeper));
              const sys::StatusFacts now = own_status();
              MUST(now.capabilities.permitted == 0);
              MUST(now.capabilities.bounding != 0);
              MUST(now.no_new_privs);
              confine(profile(Process::worker)); // and what is confined can be confined further
          }) == 0);
}

TEST_CASE("The descriptor limit is raised for those who need descriptors", "[privsep][confine]")
{
    const auto [process, soft] = GENERATE(
        table<Process, rlim_t>({{Process::gatekeeper, 100}, {Process::keyholder, 50}, {Process::worker, 100}}));
    CHECK(test::in_child([&, p = process, expected = soft] {
              const rlimit narrow{50, 100};
              MUST(::setrlimit(RLIMIT_NOFILE, &narrow) == 0);
              confine(profile(p));
              rlimit now{};
              MUST(::getrlimit(RLIMIT_NOFILE, &now) == 0);
              MUST(now.rlim_cur == expected);
          }) == 0);
}

TEST_CASE("What was done goes to the audit stream", "[privsep][confine]")
{
    test::needs_root();
    const auto captured = test::capture_child([] {
        confine(profile(Process::worker));
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
        confine(profile(Process::keyholder));
        log::start({.process = "keyholder"});
        log::stop();
    });
    REQUIRE(captured.status == 0);
    CAPTURE(captured.output);
    CHECK(has(captured.output, R"("bounding_set":"kept")"));
    CHECK(has(captured.output, R"("event":"guard not available","guard":"empty bounding set")"));
    CHECK(has(captured.output, R"("guard":"not dumpable")") == sys::kStaysDumpable);
}
