#include "sallyport/sys/process.hpp"

#include <csignal>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sallyport/sys/seccomp.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "sys/descriptors.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

} // namespace

TEST_CASE("no_new_privs is set and read back", "[sys][process]")
{
    CHECK(test::in_child([] {
              MUST(set_no_new_privs());
              MUST(no_new_privs() == true);
          }) == 0);
}

TEST_CASE("A process makes itself undumpable, except under sanitizers", "[sys][process]")
{
    CHECK(test::in_child([] {
              MUST(dumpable() == true);
              MUST(set_undumpable());
              MUST(dumpable() == kStaysDumpable);
          }) == 0);
}

TEST_CASE("Core dumps are forbidden, softly and hard", "[sys][process]")
{
    CHECK(test::in_child([] {
              MUST(forbid_core_dumps());
              MUST(core_dumps_forbidden() == true);
              rlimit now{1, 1};
              MUST(::getrlimit(RLIMIT_CORE, &now) == 0);
              MUST(now.rlim_cur == 0 && now.rlim_max == 0);
          }) == 0);
}

TEST_CASE("The soft descriptor limit becomes the hard one", "[sys][process]")
{
    CHECK(test::in_child([] {
              const rlimit narrow{50, 100};
              MUST(::setrlimit(RLIMIT_NOFILE, &narrow) == 0);
              MUST(raise_descriptor_limit() == 100);
              rlimit now{};
              MUST(::getrlimit(RLIMIT_NOFILE, &now) == 0);
              MUST(now.rlim_cur == 100 && now.rlim_max == 100);
          }) == 0);
}

TEST_CASE("Every descriptor is closed but those that are named", "[sys][process]")
{
    CHECK(test::in_child([] {
              for (const int fd : {20, 21, 30, 900})
                  MUST(::dup2(STDERR_FILENO, fd) == fd);
              const std::vector<int> kept{30, 2, 20};
              MUST(close_all_but(kept));
              MUST(is_open(2) && is_open(20) && is_open(30));
              MUST(!is_open(0) && !is_open(1) && !is_open(21) && !is_open(900));
          }) == 0);
}

TEST_CASE("A range of descriptors is closed with both of its ends", "[sys][process]")
{
    CHECK(test::in_child([] {
              for (int fd = 20; fd <= 24; ++fd)
                  MUST(::dup2(STDERR_FILENO, fd) == fd);
              close_from_to(21, 23);
              MUST(is_open(20) && is_open(24));
              MUST(!is_open(21) && !is_open(22) && !is_open(23));
              close_from_to(24, 20); // an empty range
              MUST(is_open(20) && is_open(24));
          }) == 0);
}

TEST_CASE("Missing standard descriptors become /dev/null, present ones stay", "[sys][process]")
{
    CHECK(test::in_child([] {
              struct stat error_before{}, error_after{}, input{}, null{};
              MUST(::fstat(STDERR_FILENO, &error_before) == 0);
              ::close(STDIN_FILENO);
              ::close(STDOUT_FILENO);
              MUST(ensure_standard_descriptors());
              MUST(::fstat(STDIN_FILENO, &input) == 0 && ::stat("/dev/null", &null) == 0);
              MUST(input.st_rdev == null.st_rdev);
              MUST(is_open(STDOUT_FILENO));
              MUST(::fstat(STDERR_FILENO, &error_after) == 0);
              MUST(error_before.st_ino == error_after.st_ino);
          }) == 0);
}

TEST_CASE("An ignored signal does not end the process", "[sys][process]")
{
    CHECK(test::in_child([] {
              MUST(ignore_signals(std::vector{SIGTERM, SIGINT}));
              MUST(::raise(SIGTERM) == 0);
              MUST(::raise(SIGINT) == 0);
          }) == 0);
    CHECK_FALSE(ignore_signals(std::vector{SIGKILL}));
}

TEST_CASE("A thread's name is cut to what the kernel takes", "[sys][process]")
{
    CHECK(test::in_child([] {
              char name[16] = {};
              name_thread("a-name-longer-than-fifteen");
              MUST(::pthread_getname_np(::pthread_self(), name, sizeof name) == 0);
              MUST(std::strcmp(name, "a-name-longer-t") == 0);
          }) == 0);
}

TEST_CASE("After reading ahead, the C library opens no file of its own", "[sys][process]")
{
    CHECK(test::in_child([] {
              MUST(read_ahead());
              MUST(set_no_new_privs());
              MUST(install({.otherwise = Verdict::allow, .rules = {{"openat", Verdict::trap, {}}}}, Threads::caller));
              const std::time_t now = std::time(nullptr);
              std::tm parts{};
              MUST(::localtime_r(&now, &parts) != nullptr);
              std::thread{[] {
                  std::vector<std::vector<char>> blocks(1000);
                  for (auto& block : blocks)
                      block.resize(10'000);
              }}.join();
          }) == 0);
}
