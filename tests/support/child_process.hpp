// Runs a piece of a test in a forked child: for acts that a process cannot undo, such as dropping privileges.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace sallyport::test {

inline constexpr int kClaimFailed = 99;

/// Inside a child: the claim holds, or the child ends with a message and the test fails.
inline void must(bool holds, const char* claim)
{
    if (holds) return;
    std::fprintf(stderr, "in the child: this does not hold: %s\n", claim);
    ::_exit(kClaimFailed);
}
#define MUST(claim) ::sallyport::test::must(static_cast<bool>(claim), #claim)

inline int wait_for(pid_t pid)
{
    int status{};
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Catch's handlers report a test that dies; in a child the parent does that.
inline void die_quietly()
{
    for (const int signal : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTERM, SIGINT})
        ::signal(signal, SIG_DFL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
}

[[noreturn]] inline void run_and_exit(const std::function<void()>& piece)
{
    die_quietly();
    try {
        piece();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "in the child: unexpected exception: %s\n", error.what());
        ::_exit(kClaimFailed);
    }
    ::_exit(0);
}

/// The child's exit status: 0 if the piece ended; 128 + the signal that killed it.
inline int in_child(const std::function<void()>& piece)
{
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) run_and_exit(piece);
    return wait_for(pid);
}

struct Captured {
    int status;
    std::string output;
};

inline std::string read_to_end(int fd)
{
    std::string text;
    std::array<char, 65536> part{};
    for (;;) {
        const ssize_t size = ::read(fd, part.data(), part.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return text;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
}

/// The same with what the child wrote to standard output.
inline Captured capture_child(const std::function<void()>& piece)
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        run_and_exit(piece);
    }
    ::close(ends[1]);
    std::string output = read_to_end(ends[0]);
    ::close(ends[0]);
    return {wait_for(pid), std::move(output)};
}

/// Says what is missing instead of failing in an obscure place.
inline void needs_root()
{
    INFO("this test needs root with its usual capabilities (CAP_SETUID, CAP_SETGID, CAP_SETPCAP, "
         "CAP_NET_BIND_SERVICE): run it in a container or as root");
    REQUIRE(::geteuid() == 0);
}

} // namespace sallyport::test
