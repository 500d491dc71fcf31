#include "sallyport/sys/seccomp.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sallyport/sys/channel.hpp"
#include "sallyport/sys/process.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

/// Everything is allowed but what the rules say.
void install_rules(std::vector<FilterRule> rules, Threads threads = Threads::caller)
{
    MUST(set_no_new_privs());
    MUST(install({.otherwise = Verdict::allow, .rules = std::move(rules)}, threads));
}

bool fails_with(long result, int error)
{
    return result == -1 && errno == error;
}

} // namespace

TEST_CASE("A filter refuses, hides and allows calls", "[sys][seccomp]")
{
    CHECK(test::in_child([] {
              MUST(is_filtered() == false);
              install_rules({{"getppid", Verdict::refuse, {}}, {"gettid", Verdict::absent, {}}});
              MUST(is_filtered() == true);
              MUST(fails_with(::syscall(SYS_getppid), EPERM));
              MUST(fails_with(::syscall(SYS_gettid), ENOSYS));
              MUST(::getpid() > 0);
          }) == 0);
}

TEST_CASE("A condition looks at the bits of its mask and at no others", "[sys][seccomp]")
{
    CHECK(test::in_child([] {
              install_rules({{"getpriority", Verdict::refuse, {{0, kAllOfInt, PRIO_USER}}}});
              MUST(::getpriority(PRIO_PROCESS, 0) != -1);
              MUST(fails_with(::getpriority(PRIO_USER, 0), EPERM));
              // The kernel takes an int here: what stands above it must not hide the value.
              constexpr long kGarbage = 1L << 40;
              MUST(fails_with(::syscall(SYS_getpriority, kGarbage | PRIO_USER, 0), EPERM));
          }) == 0);
}

TEST_CASE("The strictest of several filters counts, and a later one can bind every thread", "[sys][seccomp]")
{
    CHECK(test::in_child([] {
              install_rules({{"getppid", Verdict::refuse, {}}});
              std::array<int, 2> go{};
              MUST(::pipe(go.data()) == 0);
              bool is_bound = false;
              std::thread other{[&] {
                  char byte{};
                  MUST(::read(go[0], &byte, 1) == 1);
                  is_bound = fails_with(::syscall(SYS_getpriority, PRIO_PROCESS, 0), EPERM) &&
                             fails_with(::syscall(SYS_getppid), EPERM);
              }};
              install_rules({{"getpriority", Verdict::refuse, {}}}, Threads::all);
              MUST(::write(go[1], "x", 1) == 1);
              other.join();
              MUST(is_bound);
          }) == 0);
}

TEST_CASE("A filter leaves speculation as it is", "[sys][seccomp]")
{
    // PR_GET_SPECULATION_CTRL of store bypass: the same word before and after.
    CHECK(test::in_child([] {
              const int before = ::prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0);
              install_rules({{"getppid", Verdict::refuse, {}}});
              MUST(::prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) == before);
          }) == 0);
}

TEST_CASE("Without no_new_privs an unprivileged process gets no filter", "[sys][seccomp]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(::setuid(65532) == 0);
              const auto installed = install({.otherwise = Verdict::allow, .rules = {}}, Threads::caller);
              MUST(!installed && installed.error().cause.value() == EACCES);
          }) == 0);
}

TEST_CASE("A trapped call is told with its number, and ends the process", "[sys][seccomp]")
{
    auto [near, far] = Channel::pair().value();
    REQUIRE(near.set_timeout(std::chrono::seconds{10}).has_value());
    const int status = test::in_child([&, fd = far.fd()] {
        const std::array message{std::byte{42}, std::byte{}, std::byte{}, std::byte{}, std::byte{}};
        MUST(report_traps(fd, message, 1));
        install_rules({{"getppid", Verdict::trap, {}}});
        std::thread{[] { static_cast<void>(::syscall(SYS_getppid)); }}.join();
    });
    CHECK(status == kTrappedExit);
    std::array<std::byte, 64> room{};
    const auto told = near.receive(room);
    REQUIRE(told.has_value());
    REQUIRE(told->size == 5);
    std::uint32_t number{};
    std::memcpy(&number, room.data() + 1, sizeof number);
    CHECK(room[0] == std::byte{42});
    CHECK(call_name(number) == "getppid");
}

TEST_CASE("Calls are known by name, numbers by their call", "[sys][seccomp]")
{
    CHECK(is_call("openat"));
    CHECK_FALSE(is_call("openta"));
    CHECK(call_name(SYS_ptrace) == "ptrace");
    CHECK(call_name(123'456) == "call 123456");
}
