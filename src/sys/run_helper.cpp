#include "sallyport/sys/run_helper.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sallyport/base/contract.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

namespace {

constexpr std::string_view kDoing = "running a helper";

Result<pid_t> start(std::span<const std::string> words, Complaints complaints)
{
    std::vector<char*> arguments;
    for (const std::string& word : words)
        arguments.push_back(const_cast<char*>(word.c_str())); // posix_spawn(3) changes none of them
    arguments.push_back(nullptr);
    std::string path{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    const std::array<char*, 2> environment{path.data(), nullptr};

    posix_spawn_file_actions_t descriptors{};
    posix_spawnattr_t signals{};
    sigset_t all, none;
    std::memset(&all, 0xff, sizeof all); // sigfillset(3) leaves out what the C library then has ignored
    sigemptyset(&none);
    ::posix_spawn_file_actions_init(&descriptors);
    ::posix_spawnattr_init(&signals);
    ::posix_spawn_file_actions_addopen(&descriptors, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&descriptors, STDIN_FILENO, STDOUT_FILENO);
    if (complaints == Complaints::discarded)
        ::posix_spawn_file_actions_adddup2(&descriptors, STDIN_FILENO, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&descriptors, STDERR_FILENO + 1);
    ::posix_spawnattr_setsigdefault(&signals, &all);
    ::posix_spawnattr_setsigmask(&signals, &none);
    ::posix_spawnattr_setflags(&signals, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    pid_t pid{};
    const int error =
        ::posix_spawn(&pid, words.front().c_str(), &descriptors, &signals, arguments.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&descriptors);
    ::posix_spawnattr_destroy(&signals);
    if (error != 0) return fail(Fault::internal, Side::self, kDoing, {error, std::system_category()});
    return pid;
}

/// False: its time is over.
bool wait_for_end(pid_t pid, std::chrono::milliseconds limit)
{
    const UniqueFd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    pollfd entry{.fd = process.get(), .events = POLLIN, .revents = 0};
    if (!process) return true; // an old kernel: without a limit
    int ready = -1;
    do
        ready = ::poll(&entry, 1, static_cast<int>(limit.count()));
    while (ready < 0 && errno == EINTR);
    return ready != 0;
}

} // namespace

Result<int> run_helper(std::span<const std::string> words, std::chrono::milliseconds limit, Complaints complaints)
{
    SALLYPORT_ASSERT(!words.empty() && words.front().starts_with('/'));
    const Result<pid_t> pid = start(words, complaints);
    if (!pid) return std::unexpected{pid.error()};
    const bool ended = wait_for_end(*pid, limit);
    if (!ended) ::kill(*pid, SIGKILL);
    int status{};
    while (::waitpid(*pid, &status, 0) < 0)
        if (errno != EINTR) return fail_errno(kDoing);
    if (!ended) return fail(Fault::timeout, Side::self, kDoing);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace sallyport::sys
