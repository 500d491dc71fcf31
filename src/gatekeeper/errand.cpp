#include "errand.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/privsep/profiles.hpp"
#include "sallyport/sys/seccomp.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr Millis kPatience{30'000};

/// While it lives, standard output leads nowhere: a child born meanwhile must not write its log among our answers.
class OutputDiscarded {
public:
    OutputDiscarded() : output_{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)}
    {
        const UniqueFd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
        if (nowhere) ::dup2(nowhere.get(), STDOUT_FILENO);
    }
    OutputDiscarded(const OutputDiscarded&) = delete;
    OutputDiscarded& operator=(const OutputDiscarded&) = delete;
    ~OutputDiscarded()
    {
        if (output_) ::dup2(output_.get(), STDOUT_FILENO);
    }

private:
    UniqueFd output_;
};

} // namespace

Errand::Errand(const std::string& directory) : keyholder_{child_in(directory, privsep::Process::keyholder)}
{
    const OutputDiscarded discarded;
    if (const Result<void> born = keyholder_.give_birth(Clock::now()); !born)
        throw StartError{ExitCode::os_error, birth_refused(keyholder_, born.error())};
}

ipc::Bytes Errand::word()
{
    pollfd entry{.fd = keyholder_.channel(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(kPatience.count())) == 0)
        throw StartError{ExitCode::software,
                         "the keyholder did not answer within " + std::to_string(kPatience.count() / 1000) + " s"};
    auto word = keyholder_.heard();
    if (!word) throw StartError{ExitCode::software, "the keyholder died before it had answered"};
    if (const auto failure = ipc::decode<ipc::Failed>(*word)) throw StartError{exit_code_of(*failure), failure->text};
    if (const auto trapped = ipc::decode<ipc::Trapped>(*word))
        throw StartError{ExitCode::software,
                         "the keyholder was stopped by its own sandbox: it called " + sys::call_name(trapped->call)};
    return std::move(*word);
}

} // namespace sallyport::gatekeeper
