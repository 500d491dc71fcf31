#include "check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "audit_lines.hpp"
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

void give_birth(Child& keyholder)
{
    const OutputDiscarded discarded;
    if (const Result<void> born = keyholder.give_birth(Clock::now()); !born)
        throw StartError{ExitCode::os_error, birth_refused(keyholder, born.error())};
}

/// Waits for one message.
std::optional<ipc::Bytes> word_of(Child& child)
{
    pollfd entry{.fd = child.channel(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(kPatience.count())) == 0)
        throw StartError{ExitCode::software, "the " + std::string{child.name()} + " did not answer within " +
                                                 std::to_string(kPatience.count() / 1000) + " s"};
    return child.heard();
}

} // namespace

ipc::Loaded rehearse_certificates(const std::string& directory, const Settings& settings, const Secrets& secrets)
{
    Child keyholder = child_in(directory, privsep::Process::keyholder);
    give_birth(keyholder);
    brief_keyholder(keyholder, settings, secrets);
    const auto word = word_of(keyholder);
    if (!word) throw StartError{ExitCode::software, "the keyholder died before it had read the certificates"};
    if (const auto failure = ipc::decode<ipc::Failed>(*word)) throw StartError{exit_code_of(*failure), failure->text};
    if (const auto trapped = ipc::decode<ipc::Trapped>(*word))
        throw StartError{ExitCode::software,
                         "the keyholder was stopped by its own sandbox: it called " + sys::call_name(trapped->call)};
    const auto loaded = ipc::decode<ipc::Loaded>(*word);
    if (!loaded) throw StartError{ExitCode::software, "the keyholder said what no keyholder says"};
    return *loaded;
}

std::string describe(const ipc::Loaded& loaded)
{
    std::string text;
    for (const ipc::LoadedPair& pair : loaded.pairs)
        text += pair.label + ": " + pair.key_type + ", for " + joined(pair.names) + ", until " +
                utc_text(pair.not_after) + "\n";
    for (const std::string& file : loaded.open_files)
        text += "warning: " + file + "\n";
    return text;
}

} // namespace sallyport::gatekeeper
