#include "gatekeeper/child.hpp"

#include <cerrno>
#include <csignal>

#include "household.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using Catch::Contains;

TEST_CASE("A death is told by its exit code or its signal", "[gatekeeper][child]")
{
    const auto [status, text] = GENERATE(table<int, std::string>({
        {0, "exit code 0"},
        {3 << 8, "exit code 3"},
        {SIGKILL, "signal 9 (KILL)"},
        {SIGABRT | 0x80, "signal 6 (ABRT)"}, // with a core
        {SIGSYS, "signal 31 (SYS)"},
    }));
    CHECK(how_it_died(status) == text);
}

TEST_CASE("A failure that names no exit code is one of software", "[gatekeeper][child]")
{
    CHECK(exit_code_of({.exit_code = 0, .text = ""}) == ExitCode::software);
    CHECK(exit_code_of({.exit_code = 78, .text = ""}) == ExitCode::configuration);
}

TEST_CASE("A child is killed and reaped when its owner goes", "[gatekeeper][child]")
{
    const gatekeeper::test::Household house;
    pid_t pid{};
    {
        Child child = child_in(house.path("."), privsep::Process::worker);
        REQUIRE(child.give_birth(Clock::now()));
        CHECK(child.alive());
        pid = child.pid();
        CHECK(::kill(pid, 0) == 0);
    }
    CHECK(::kill(pid, 0) != 0);
    CHECK(errno == ESRCH);
}

TEST_CASE("A child whose executable is missing is not born, and the refusal names the file and the user",
          "[gatekeeper][child]")
{
    Child child = child_in("/nonexistent", privsep::Process::keyholder);
    const auto born = child.give_birth(Clock::now());
    REQUIRE_FALSE(born);
    CHECK_FALSE(child.alive());
    CHECK_THAT(birth_refused(child, born.error()), Contains("/nonexistent/sallyport-keyholder: No such file") &&
                                                       Contains("user " + std::to_string(::geteuid())));
}
