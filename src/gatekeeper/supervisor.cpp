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
constexpr std::ptrdiff_t kChannels = 3;

class Supervisor {
public:
    Supervisor(Family& family, Signals& signals, BypassWatch* watch) : family_{family}, signals_{signals}, watch_{watch}
    {
    }

    ExitCode run();

private:
    void wait();
    void look_past_us();
    std::optional<ExitCode> answer(int signal);
    std::optional<ExitCode> stop(int signal);
    void reap();
    [[nodiscard]] ExitCode farewell() const;

    Family& family_;
    Signals& signals_;
    BypassWatch* watch_;
    bool told_{false}; ///< a signal has asked for the end
    bool stopping_{false};
    bool forbidden_{false};
};

ExitCode Supervisor::run()
{
    for (;;) {
        look_past_us();
        family_.tend(Clock::now());
        if (family_.gone()) return farewell();
        wait();
        for (const int signal : signals_.take())
            if (const auto end = answer(signal)) return *end;
        family_.listen(Clock::now());
    }
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
                        pollfd{.fd = family_.worker_channel(), .events = POLLIN, .revents = 0}};
    for (const int listening : family_.listening())
        entries.push_back({.fd = listening, .events = 0, .revents = 0});
    // Whatever it answers, each of the first three is looked at without blocking.
    const TimePoint due = watch_ == nullptr ? family_.due() : std::min(family_.due(), watch_->due());
    static_cast<void>(::poll(entries.data(), entries.size(), milliseconds_until(due)));
    const auto ended = [](const pollfd& entry) { return (entry.revents & POLLHUP) != 0; };
    if (std::any_of(entries.begin() + kChannels, entries.end(), ended)) family_.check_listeners();
}

void Supervisor::look_past_us()
{
    if (watch_ == nullptr || !watch_->forbids(Clock::now()) || stopping_) return;
    if (!family_.established()) throw StartError{ExitCode::configuration, watch_->reason()};
    log::error("not serving any longer", {{"reason", watch_->reason()}});
    stopping_ = true;
    forbidden_ = true;
    family_.drain(Clock::now());
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
        return ExitCode::failure;
    }
    if (std::exchange(stopping_, true)) return std::nullopt; // it drains already, on its own account
    log::info("draining", {{"signal", signal}});
    family_.drain(Clock::now());
    return std::nullopt;
}

void Supervisor::reap()
{
    int status{};
    for (pid_t pid{}; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
        family_.bury(pid, status, Clock::now());
}

ExitCode Supervisor::farewell() const
{
    const auto& drained = family_.drained();
    if (!drained) {
        log::error("stopped without draining", {{"reason", "the worker died or had to be killed"}});
        return forbidden_ ? ExitCode::configuration : ExitCode::software;
    }
    log::info("drained", {{"finished", drained->finished}, {"cut", drained->cut}});
    return forbidden_ ? ExitCode::configuration : ExitCode::ok;
}

} // namespace

ExitCode supervise(Family& family, Signals& signals, BypassWatch* watch)
{
    return Supervisor{family, signals, watch}.run();
}

} // namespace sallyport::gatekeeper
