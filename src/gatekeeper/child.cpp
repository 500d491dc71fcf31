#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sallyport/log/log.hpp"
#include "sallyport/sys/spawn.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr Millis kPatienceToSend{5'000};

bool readable_now(int fd)
{
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, 0) > 0;
}

std::string signal_text(int signal)
{
    const char* abbreviation = ::sigabbrev_np(signal);
    return "signal " + std::to_string(signal) + (abbreviation != nullptr ? " (" + std::string{abbreviation} + ")" : "");
}

} // namespace

std::string how_it_died(int status)
{
    if (WIFSIGNALED(status)) return signal_text(WTERMSIG(status));
    return "exit code " + std::to_string(WEXITSTATUS(status));
}

ExitCode exit_code_of(const ipc::Failed& failure)
{
    return failure.exit_code == 0 ? ExitCode::software : static_cast<ExitCode>(failure.exit_code);
}

Child child_in(const std::string& directory, privsep::Process process)
{
    const privsep::Profile& profile = privsep::profile(process);
    return Child{profile.name, directory + "/" + std::string{profile.executable}};
}

std::string birth_refused(const Child& child, const Error& error)
{
    return "cannot start " + child.executable() + ": " + error.cause.message() + "; user " +
           std::to_string(::geteuid()) + " must be able to execute it, and it must lie beside sallyport";
}

Child::Child(std::string_view name, std::string executable)
    : name_{name}, executable_{std::move(executable)}, buffer_(ipc::kMessageMax)
{
}

Child::~Child()
{
    end();
}

void Child::end()
{
    if (!alive_) return;
    kill();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    alive_ = false;
}

Result<void> Child::give_birth(TimePoint now)
{
    born_ = now;
    chain_ = log::new_chain();
    Result<sys::Child> born = sys::spawn(executable_);
    if (!born) return std::unexpected{born.error()};
    pid_ = born->pid;
    alive_ = true;
    control_ = std::move(born->control);
    return control_.set_timeout(kPatienceToSend);
}

void Child::tell_bytes(const ipc::Bytes& message, std::span<const int> descriptors)
{
    if (!control_) return;
    const Result<void> sent = control_.send(message, descriptors);
    if (sent || sent.error().fault == Fault::reset) return;
    log::audit("child killed", {{"child", name_},
                                {"pid", pid_},
                                {"reason", "it does not take its messages"},
                                {"fault", sallyport::name(sent.error().fault)},
                                {"cause", sent.error().cause.message()}});
    kill();
}

std::optional<ipc::Bytes> Child::heard()
{
    if (!control_ || !readable_now(control_.fd())) return std::nullopt;
    Result<sys::Received> received = control_.receive(buffer_);
    // It has ended with words of ours unread, which the kernel tells first; what it said last comes after that.
    if (!received && received.error().fault == Fault::reset) received = control_.receive(buffer_);
    const bool too_large = !received && received.error().fault == Fault::over_limit;
    if (too_large || (received && !received->descriptors.empty())) return ipc::Bytes{};
    if (!received || received->size == 0) {
        dismiss();
        return std::nullopt;
    }
    return ipc::Bytes(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(received->size));
}

void Child::kill()
{
    dismiss();
    if (alive_) ::kill(pid_, SIGKILL);
}

} // namespace sallyport::gatekeeper
