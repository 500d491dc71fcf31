#include "starter.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/ipc/starter.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/identity.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/start_program.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr Millis kGrace{2'000}; ///< what the kernel may take to end a killed app
constexpr std::size_t kMessageMax = 1024;

template <typename T>
T must(Result<T> result)
{
    if (!result)
        throw StartError{ExitCode::os_error, "cannot prepare to start the app: " + std::string{result.error().doing} +
                                                 ": " + result.error().cause.message()};
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// What runs in the process itself.
class Starting {
public:
    Starting(const AppOrder& order, sys::Channel control) : order_{order}, control_{std::move(control)} {}

    /// Returns when the gatekeeper has gone, or wants no more, and no app lives.
    void run();

private:
    void give_up_privileges() const;
    void watch_children();
    void wait() const;
    void hear();
    void start();
    void end();
    void signal(int number) const;
    void reap();

    template <typename Message>
    void tell(const Message& message)
    {
        static_cast<void>(control_.send(ipc::encode(message))); // its own death is told by an end of file
    }

    const AppOrder& order_;
    sys::Channel control_;
    UniqueFd children_;
    pid_t app_{-1};
    std::optional<TimePoint> killed_at_; ///< unless it has ended by then
    bool overdue_{false};
    bool dismissed_{false};
};

void Starting::run()
{
    try {
        give_up_privileges();
        watch_children();
    } catch (const StartError& error) {
        return tell(ipc::StarterFailed{.exit_code = static_cast<std::uint8_t>(error.code()), .text = error.what()});
    }
    tell(ipc::StarterReady{});
    while (!dismissed_ || app_ > 0) {
        wait();
        reap();
        if (!dismissed_) hear();
        if (killed_at_ && Clock::now() >= *killed_at_ && !std::exchange(overdue_, true)) signal(SIGKILL);
    }
}

void Starting::give_up_privileges() const
{
    const std::array kept{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, control_.fd()};
    must(sys::close_all_but(kept));
    if (::geteuid() == 0) must(sys::become_user(order_.uid, order_.gid));
    privsep::confine(privsep::kStarter, {.level = ipc::SandboxLevel::none});
    sys::name_thread(kStarterName);
    std::vector<std::string> ours;
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (const std::string_view line{*entry}; !is_for_app(line.substr(0, line.find('='))))
            ours.emplace_back(line.substr(0, line.find('=')));
    for (const std::string& name : ours)
        ::unsetenv(name.c_str());
}

/// No signal but SIGKILL ends it: it has to outlive the app.
void Starting::watch_children()
{
    sigset_t all, child;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ::signal(SIGCHLD, SIG_DFL);
    children_ = UniqueFd{::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!children_) must(Result<void>{fail_errno("watching for the app's end")});
    must(sys::adopt_orphans());
}

void Starting::wait() const
{
    std::array entries{pollfd{.fd = children_.get(), .events = POLLIN, .revents = 0},
                       pollfd{.fd = dismissed_ ? -1 : control_.fd(), .events = POLLIN, .revents = 0}};
    int milliseconds = -1;
    if (killed_at_ && !overdue_) {
        const auto left = std::chrono::ceil<Millis>(*killed_at_ - Clock::now()).count();
        milliseconds = static_cast<int>(std::max<std::int64_t>(left, 0));
    }
    static_cast<void>(::poll(entries.data(), entries.size(), milliseconds));
    signalfd_siginfo info{};
    while (::read(children_.get(), &info, sizeof info) == sizeof info) {
    }
}

void Starting::hear()
{
    pollfd entry{.fd = control_.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) <= 0) return;
    std::array<std::byte, kMessageMax> buffer;
    const Result<sys::Received> received = control_.receive(buffer);
    if (!received || received->size == 0) {
        dismissed_ = true;
        return end();
    }
    const std::span message{buffer.data(), received->size};
    if (ipc::decode<ipc::StartApp>(message) && app_ < 0) start();
    if (ipc::decode<ipc::EndApp>(message)) end();
    if (const auto wanted = ipc::decode<ipc::SignalApp>(message)) signal(wanted->number);
}

void Starting::start()
{
    killed_at_ = std::nullopt;
    overdue_ = false;
    if (const Result<pid_t> started = sys::start_program(order_.command)) {
        app_ = *started;
        tell(ipc::AppStarted{.pid = app_});
    } else {
        tell(ipc::AppRefused{.error = started.error().cause.value()});
    }
}

void Starting::end()
{
    if (app_ < 0 || killed_at_) return;
    killed_at_ = Clock::now() + order_.stop_timeout;
    signal(order_.stop_signal);
    signal(SIGCONT); // one that was stopped would not see it
}

void Starting::signal(int number) const
{
    if (app_ > 0) ::kill(number == SIGKILL ? -app_ : app_, number);
}

/// What is left of the app's process group ends with it, before its number can be another's.
void Starting::reap()
{
    for (;;) {
        siginfo_t dead{};
        if (::waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0 || dead.si_pid == 0) return;
        if (dead.si_pid == app_) ::kill(-app_, SIGKILL);
        int status{};
        ::waitpid(dead.si_pid, &status, 0);
        if (dead.si_pid != app_) continue;
        app_ = -1;
        tell(ipc::AppEnded{.status = status, .overdue = overdue_});
    }
}

[[noreturn]] void become_starter(const AppOrder& order, sys::Channel control)
{
    Starting{order, std::move(control)}.run();
    ::_exit(0);
}

} // namespace

Starter::Starter(const AppOrder& order) : patience_{order.stop_timeout + kGrace}
{
    must(sys::adopt_orphans()); // its own, if it is killed
    auto ends = must(sys::Channel::pair());
    must(ends.first.set_timeout(kGrace));
    pid_ = ::fork();
    if (pid_ < 0) must(Result<void>{fail_errno("forking")});
    if (pid_ == 0) become_starter(order, std::move(ends.second));
    control_ = std::move(ends.first);
    ends.second = {};

    std::array<std::byte, kMessageMax> buffer;
    const Result<sys::Received> received = control_.receive(buffer);
    const std::span message{buffer.data(), received ? received->size : 0};
    if (ipc::decode<ipc::StarterReady>(message)) return;
    control_ = {};
    ::waitpid(pid_, nullptr, 0);
    if (const auto failed = ipc::decode<ipc::StarterFailed>(message))
        throw StartError{static_cast<ExitCode>(failed->exit_code), failed->text};
    throw StartError{ExitCode::software, "the starter of the app died before it could start anything"};
}

Starter::Starter(Starter&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)}, control_{std::move(other.control_)}, patience_{other.patience_}
{
}

Starter::~Starter()
{
    if (pid_ < 0) return;
    dismiss([this] {
        std::array<std::byte, kMessageMax> buffer;
        const Result<sys::Received> received = control_.receive(buffer);
        if (!received || received->size == 0) control_ = {};
    });
    // It is not killed if it does not answer: it may be another user's.
    if (!control_) ::waitpid(pid_, nullptr, 0);
}

void Starter::dismiss(const std::function<void()>& hear)
{
    if (control_) ::shutdown(control_.fd(), SHUT_WR);
    const TimePoint limit = Clock::now() + patience_;
    while (control_ && Clock::now() < limit) {
        pollfd entry{.fd = control_.fd(), .events = POLLIN, .revents = 0};
        if (::poll(&entry, 1, static_cast<int>(std::chrono::ceil<Millis>(limit - Clock::now()).count())) > 0) hear();
    }
}

bool is_for_app(std::string_view variable)
{
    constexpr std::array<std::string_view, 4> kOfSystemd{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET"};
    return !variable.starts_with("SALLYPORT_") && std::ranges::find(kOfSystemd, variable) == kOfSystemd.end();
}

} // namespace sallyport::gatekeeper
