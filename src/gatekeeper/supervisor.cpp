#include "supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/wait.h>

#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

namespace {

/// What comes before the listening sockets in what is waited for.
constexpr std::ptrdiff_t kChannels = 4;

class Supervisor {
public:
    Supervisor(Family& family, Signals& signals, const Beside& beside)
        : family_{family}, signals_{signals}, watch_{beside.watch}, app_{beside.app}
    {
        family_.hold_worker(app_ != nullptr);
    }

    ExitCode run();

private:
    void tend_app();
    void look_past_us();
    std::optional<ExitCode> end();
    void wait();
    std::optional<ExitCode> answer(int signal);
    std::optional<ExitCode> stop(int signal);
    void drain();
    void reap();
    void tell_drained() const;
    [[nodiscard]] ExitCode farewell() const;

    Family& family_;
    Signals& signals_;
    BypassWatch* watch_;
    App* app_;
    bool told_{false}; ///< a signal has asked for the end
    bool stopping_{false};
    bool has_drained_{false};
    bool forbidden_{false};
};

ExitCode Supervisor::run()
{
    for (;;) {
        tend_app();
        look_past_us();
        family_.tend(Clock::now());
        if (const auto code = end()) return *code;
        wait();
        for (const int signal : signals_.take())
            if (const auto code = answer(signal)) return *code;
        family_.listen(Clock::now());
        if (app_ != nullptr) app_->listen(Clock::now());
    }
}

/// Its first word that it listens lets the worker be born, unless others could reach it past us.
void Supervisor::tend_app()
{
    if (app_ == nullptr) return;
    const bool had_listened = app_->has_listened();
    app_->tend(Clock::now());
    if (had_listened || !app_->has_listened()) return;
    family_.hold_worker(false);
    if (watch_ != nullptr) watch_->look_again();
}

/// First the family, and the app only when nobody is served any longer.
std::optional<ExitCode> Supervisor::end()
{
    if (app_ != nullptr && app_->gone() && !family_.established()) {
        log::error("the app has ended before anybody was served");
        return app_->exit_code();
    }
    if (app_ != nullptr && app_->gone() && !stopping_) {
        log::info("draining", {{"reason", "the app has ended"}});
        drain();
    }
    if (!family_.gone()) return std::nullopt;
    if (!std::exchange(has_drained_, true)) tell_drained();
    if (app_ != nullptr) app_->end(Clock::now());
    if (app_ != nullptr && !app_->gone()) return std::nullopt;
    return farewell();
}

/// Rounded up, so that what is due at its end is due indeed.
int milliseconds_until(TimePoint due)
{
    if (due == TimePoint::max()) return -1;
    const auto left = std::chrono::ceil<Millis>(due - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

void Supervisor::wait()
{
    std::vector entries{pollfd{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
                        pollfd{.fd = family_.keyholder_channel(), .events = POLLIN, .revents = 0},
                        pollfd{.fd = family_.worker_channel(), .events = POLLIN, .revents = 0},
                        pollfd{.fd = app_ == nullptr ? -1 : app_->channel(), .events = POLLIN, .revents = 0}};
    for (const int listening : family_.listening())
        entries.push_back({.fd = listening, .events = 0, .revents = 0});
    // Whatever it answers, every one of the first is looked at without blocking.
    TimePoint due = family_.due();
    if (watch_ != nullptr) due = std::min(due, watch_->due());
    if (app_ != nullptr) due = std::min(due, app_->due());
    static_cast<void>(::poll(entries.data(), entries.size(), milliseconds_until(due)));
    const auto ended = [](const pollfd& entry) { return (entry.revents & POLLHUP) != 0; };
    if (std::any_of(entries.begin() + kChannels, entries.end(), ended)) family_.check_listeners();
}

void Supervisor::look_past_us()
{
    if (watch_ == nullptr || !watch_->forbids(Clock::now()) || stopping_) return;
    if (!family_.established()) throw StartError{ExitCode::configuration, watch_->reason()};
    log::error("not serving any longer", {{"reason", watch_->reason()}});
    forbidden_ = true;
    drain();
}

std::optional<ExitCode> Supervisor::answer(int signal)
{
    switch (signal) {
    case SIGCHLD:
        reap();
        return std::nullopt;
    case SIGHUP:
        family_.reload(Clock::now());
        return std::nullopt;
    case SIGUSR1:
    case SIGUSR2:
    case SIGWINCH:
        if (app_ != nullptr) app_->pass_on(signal);
        return std::nullopt;
    default:
        return stop(signal);
    }
}

std::optional<ExitCode> Supervisor::stop(int signal)
{
    if (!family_.established()) {
        log::info("stopped before it served", {{"signal", signal}});
        return ExitCode::ok;
    }
    const bool told_before = std::exchange(told_, true);
    if ((stopping_ && told_before) || signal == SIGQUIT) {
        log::warn("stopped at once", {{"signal", signal}});
        if (app_ != nullptr) app_->kill();
        return ExitCode::failure;
    }
    if (stopping_) return std::nullopt; // it drains already, on its own account
    log::info("draining", {{"signal", signal}});
    drain();
    return std::nullopt;
}

void Supervisor::drain()
{
    stopping_ = true;
    if (app_ != nullptr) app_->let_be_last();
    family_.drain(Clock::now());
}

void Supervisor::reap()
{
    int status{};
    for (pid_t pid{}; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        family_.bury(pid, status, Clock::now());
        if (app_ != nullptr) app_->bury(pid);
    }
}

void Supervisor::tell_drained() const
{
    if (const auto& drained = family_.drained())
        log::info("drained", {{"finished", drained->finished}, {"cut", drained->cut}});
    else
        log::error("stopped without draining", {{"reason", "the worker died or had to be killed"}});
}

ExitCode Supervisor::farewell() const
{
    if (forbidden_) return ExitCode::configuration;
    if (app_ != nullptr && app_->exit_code() != ExitCode::ok) return app_->exit_code();
    return family_.drained() ? ExitCode::ok : ExitCode::software;
}

} // namespace

ExitCode supervise(Family& family, Signals& signals, const Beside& beside)
{
    return Supervisor{family, signals, beside}.run();
}

} // namespace sallyport::gatekeeper
