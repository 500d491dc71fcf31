// fork(2) and exec with the news of whether the exec has succeeded: what starting a process takes, whoever it is.
//
// The child's half may run in a process that has threads: it calls async-signal-safe functions only.
#pragma once

#include <cerrno>
#include <csignal>

#include <sys/types.h>
#include <unistd.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// Both ends close-on-exec: a successful exec closes the child's.
struct Pipe {
    UniqueFd read;
    UniqueFd write;
};
[[nodiscard]] Result<Pipe> make_pipe();

/// In the child: why the exec, or what comes before it, has failed.
[[noreturn]] void report_and_exit(int report);
/// In the child: every disposition back to its default, and the mask empty.
void reset_signals();

/// In the parent: waits until the child has executed or failed. One that has failed is reaped.
[[nodiscard]] Result<pid_t> born(pid_t pid, Pipe report);

/// `become` runs in the child and does not return; what keeps it from its exec it tells by `report_and_exit`.
/// Errors: fork's, or what the child reported; no child is left.
template <typename Become>
[[nodiscard]] Result<pid_t> give_birth(Pipe report, Become become)
{
    // No handler of ours may run in the child before its dispositions are reset.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) become();
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return born(pid, std::move(report));
}

} // namespace sallyport::sys
