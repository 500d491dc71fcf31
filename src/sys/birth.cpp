#include "birth.hpp"

#include <array>

#include <fcntl.h>
#include <sys/wait.h>

namespace sallyport::sys {

namespace {

constexpr int kExecFailed = 127;

/// The pipe closes without a word when the exec has succeeded.
int reported_error(int report)
{
    int error{};
    ssize_t size{};
    while ((size = ::read(report, &error, sizeof error)) < 0 && errno == EINTR) {
    }
    return size == sizeof error ? error : 0;
}

void reap(pid_t pid)
{
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

} // namespace

Result<Pipe> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("making a pipe");
    return Pipe{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

void report_and_exit(int report)
{
    const int error = errno;
    static_cast<void>(!::write(report, &error, sizeof error));
    ::_exit(kExecFailed);
}

void reset_signals()
{
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal)
        static_cast<void>(::sigaction(signal, &standard, nullptr)); // SIGKILL, SIGSTOP and libc's own refuse: as well
    sigset_t none;
    sigemptyset(&none);
    static_cast<void>(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

Result<pid_t> born(pid_t pid, Pipe report)
{
    if (pid < 0) return fail_errno("forking");
    report.write.reset();
    if (const int error = reported_error(report.read.get()); error != 0) {
        reap(pid);
        return fail(Fault::internal, Side::self, "executing a child", {error, std::system_category()});
    }
    return pid;
}

} // namespace sallyport::sys
