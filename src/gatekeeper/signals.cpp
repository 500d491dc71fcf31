#include "signals.hpp"

#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/start_error.hpp"

namespace sallyport::gatekeeper {

Signals::Signals()
{
    sigset_t answered;
    sigemptyset(&answered);
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGWINCH})
        sigaddset(&answered, signal);
    ::signal(SIGPIPE, SIG_IGN);
    // Whoever started us may have had some ignored: those would never come.
    for (int signal = 1; signal < NSIG; ++signal)
        if (sigismember(&answered, signal) == 1) ::signal(signal, SIG_DFL);
    ::pthread_sigmask(SIG_BLOCK, &answered, nullptr);
    fd_ = UniqueFd{::signalfd(-1, &answered, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!fd_) throw StartError{ExitCode::os_error, "cannot watch signals: " + last_errno().message()};
}

std::vector<int> Signals::take()
{
    std::vector<int> taken;
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof info) == sizeof info)
        taken.push_back(static_cast<int>(info.ssi_signo));
    return taken;
}

} // namespace sallyport::gatekeeper
