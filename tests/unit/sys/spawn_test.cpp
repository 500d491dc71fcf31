#include "sallyport/sys/spawn.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

/// An executable shell script. The shell itself opens the script as descriptor 10 or above.
std::string script(const test::TemporaryDirectory& directory, const std::string& text)
{
    const std::string path = directory.file("child");
    std::ofstream{path} << "#!/bin/sh\n" << text;
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
    return path;
}

std::string next_message(Channel& control)
{
    std::array<std::byte, 4096> into{};
    const auto received = control.receive(into);
    if (!received) return "(no message)";
    return {reinterpret_cast<const char*>(into.data()), received->size};
}

std::string content(const std::string& path)
{
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::size_t open_descriptors()
{
    std::size_t open{};
    for (int fd = 0; fd < 1024; ++fd)
        open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
}

} // namespace

TEST_CASE("A child speaks over its control channel, and its end is seen", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    auto child = spawn(script(directory, "printf hello >&3\nexit 7\n"));
    REQUIRE(child);
    CHECK(next_message(child->control) == "hello");
    CHECK(next_message(child->control).empty()); // the end: nobody else holds the other end
    CHECK(test::wait_for(child->pid) == 7);
}

TEST_CASE("A child has descriptors 0 to 3 and no other", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    const UniqueFd leaked{::fcntl(STDERR_FILENO, F_DUPFD, 600)};
    const UniqueFd far{::fcntl(STDERR_FILENO, F_DUPFD, 700)};
    REQUIRE(leaked);
    REQUIRE(far);
    auto child = spawn(script(directory, "ls /proc/$$/fd >&3\nreadlink /proc/$$/fd/0 >&3\n"));
    REQUIRE(child);
    std::istringstream told{next_message(child->control)};
    std::vector<int> open;
    for (int fd{}; told >> fd;)
        if (fd < 10 || fd >= 600) open.push_back(fd);
    std::ranges::sort(open);
    CHECK(open == std::vector{0, 1, 2, 3});
    CHECK(next_message(child->control) == "/dev/null\n");
    CHECK(test::wait_for(child->pid) == 0);
}

TEST_CASE("A child's standard output is ours", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    const std::string path = script(directory, "echo from the child\n");
    const auto captured = test::capture_child([&] {
        auto child = spawn(path);
        MUST(child);
        MUST(test::wait_for(child->pid) == 0);
    });
    CHECK(captured.status == 0);
    CHECK(captured.output == "from the child\n");
}

TEST_CASE("A child has an empty environment", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    REQUIRE(::setenv("SALLYPORT_TEST_SECRET", "do-not-inherit", 1) == 0);
    auto child = spawn(script(directory, "printf '<%s>' \"$(tr -d '\\0' </proc/$$/environ)\" >&3\n"));
    ::unsetenv("SALLYPORT_TEST_SECRET");
    REQUIRE(child);
    CHECK(next_message(child->control) == "<>");
    CHECK(test::wait_for(child->pid) == 0);
}

TEST_CASE("A child has default signal dispositions and an empty mask", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    const std::string path =
        script(directory, "printf '%s' \"$(grep -E 'SigBlk|SigIgn|SigCgt' /proc/$$/status | tr -d '\\t\\n')\" >&3\n");
    CHECK(test::in_child([&] {
              ::signal(SIGPIPE, SIG_IGN);
              ::signal(SIGUSR2, SIG_IGN);
              sigset_t blocked;
              sigemptyset(&blocked);
              sigaddset(&blocked, SIGUSR1);
              sigaddset(&blocked, SIGTERM);
              ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
              auto child = spawn(path);
              MUST(child);
              const std::string told = next_message(child->control);
              MUST(told.starts_with("SigBlk:0000000000000000SigIgn:0000000000000000"));
              MUST(test::wait_for(child->pid) == 0);
              sigset_t after;
              ::sigprocmask(SIG_SETMASK, nullptr, &after);
              MUST(sigismember(&after, SIGUSR1) == 1 && sigismember(&after, SIGHUP) == 0); // ours is as it was
          }) == 0);
}

TEST_CASE("A child is called by its file name alone", "[sys][spawn]")
{
    const auto captured = test::capture_child([&] {
        // yes(1) lives until its standard output breaks, which it does when this child's end is closed.
        auto child = spawn("/usr/bin/yes");
        MUST(child);
        // The parent goes on before the kernel has written the arguments.
        std::string arguments;
        for (int look = 0; look < 1000 && arguments.empty(); ++look, ::usleep(1000))
            arguments = content("/proc/" + std::to_string(child->pid) + "/cmdline");
        ::kill(child->pid, SIGKILL);
        static_cast<void>(test::wait_for(child->pid));
        MUST(arguments == std::string("yes\0", 4));
    });
    CHECK(captured.status == 0);
}

TEST_CASE("A failed exec is an error with its errno, and leaves nothing behind", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    const std::string not_executable = directory.file("plain");
    std::ofstream{not_executable} << "text";
    const std::size_t before = open_descriptors();

    const auto absent = spawn(directory.file("absent"));
    REQUIRE_FALSE(absent);
    CHECK(absent.error().cause == std::errc::no_such_file_or_directory);
    const auto refused = spawn(not_executable);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause == std::errc::permission_denied);

    CHECK(open_descriptors() == before);
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1); // no child, not even a dead one
    CHECK(errno == ECHILD);
}

TEST_CASE("A child is started even where our own standard descriptors are closed", "[sys][spawn]")
{
    const test::TemporaryDirectory directory;
    const std::string path = script(directory, "printf '%s' \"$(readlink /proc/$$/fd/1)\" >&3\n");
    CHECK(test::in_child([&] {
              for (const int fd : {0, 1, 3, 4, 5})
                  ::close(fd);
              auto child = spawn(path);
              MUST(child);
              MUST(next_message(child->control) == "/dev/null");
              MUST(test::wait_for(child->pid) == 0);
          }) == 0);
}

TEST_CASE("Our own directory is found", "[sys][spawn]")
{
    const auto directory = executable_directory();
    REQUIRE(directory);
    CHECK(std::filesystem::exists(*directory + "/unit_sys"));
    CHECK_FALSE(directory->ends_with('/'));
}
