#include "supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/wait.h>

#include "drain_plan.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

namespace {

class Supervisor {
public:
    Supervisor(Family& family, Signals& signals, const Beside& beside)
        : family_{family},
          signals_{signals},
          watch_{beside.watch},
          app_{beside.app},
          next_{beside.next},
          manager_{beside.manager}
    {
        family_.hold_worker(app_ != nullptr);
    }

    ExitCode run();

private:
    void tend_app();
    void look_past_us();
    void tell_outcome();
    void reload_if_asked();
    void reload();
    std::optional<ExitCode> end();
    void wait();
    std::optional<ExitCode> answer(int signal);
    std::optional<ExitCode> stop(int signal);
    void plan_drain(int signal);
    void keep_to_plan();
    void drain(std::string_view reason);
    void reap();
    void tell_stopping() const;
    void tell_drained() const;
    [[nodiscard]] ExitCode farewell() const;

    Family& family_;
    Signals& signals_;
    BypassWatch* watch_;
    App* app_;
    NextConfiguration* next_;
    ServiceManager* manager_;
    bool reload_asked_{false};
    bool told_{false}; ///< a signal has asked for the end
    std::optional<DrainPlan> plan_;
    bool draining_{false};
    bool has_drained_{false};
    bool forbidden_{false};
};

ExitCode Supervisor::run()
{
    for (;;) {
        tend_app();
        look_past_us();
        keep_to_plan();
        family_.tend(Clock::now());
        tell_outcome();
        reload_if_asked();
        if (const auto code = end()) return *code;
        wait();
        for (const int signal : signals_.take())
            if (const auto code = answer(signal)) return *code;
        family_.listen(Clock::now());
        if (app_ != nullptr) app_->listen(Clock::now());
        if (manager_ != nullptr && family_.established()) manager_->serving();
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
    if (app_ != nullptr && app_->gone()) drain("the app has ended");
    if (!family_.gone()) return std::nullopt;
    if (!std::exchange(has_drained_, true)) tell_drained();
    if (app_ != nullptr) app_->end(Clock::now());
    if (app_ != nullptr && !app_->gone()) return std::nullopt;
    return farewell();
}

void Supervisor::tell_outcome()
{
    const auto outcome = family_.take_outcome();
    if (!outcome) return;
    if (outcome->failure)
        log::error("configuration not reloaded", {{"reason", *outcome->failure}, {"in_force", "the old one"}});
    if (next_ != nullptr) next_->settle(family_, !outcome->failure);
}

/// One at a time: what has changed meanwhile is read when the last one has come into force, or failed.
void Supervisor::reload_if_asked()
{
    if (!reload_asked_ || (!family_.settled() && !draining_ && !plan_)) return;
    reload_asked_ = false;
    if (plan_ || draining_) return log::info("configuration not reloaded", {{"reason", "the end was asked for"}});
    reload();
    family_.tend(Clock::now());
    tell_outcome(); // who could not even be born wakes nobody
}

void Supervisor::reload()
{
    try {
        auto plan = next_ == nullptr ? std::nullopt : next_->read_anew(family_);
        if (plan) return family_.renew(std::move(*plan));
        family_.reload(Clock::now());
    } catch (const StartError& error) {
        log::error("configuration not reloaded", {{"reason", error.what()}, {"in_force", "the old one"}});
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
                        pollfd{.fd = app_ == nullptr ? -1 : app_->channel(), .events = POLLIN, .revents = 0}};
    for (const int channel : family_.channels())
        entries.push_back({.fd = channel, .events = POLLIN, .revents = 0});
    const auto channels = static_cast<std::ptrdiff_t>(entries.size());
    for (const int listening : family_.listening())
        entries.push_back({.fd = listening, .events = 0, .revents = 0});
    // Whatever it answers, every one of the first is looked at without blocking.
    TimePoint due = family_.due();
    if (watch_ != nullptr) due = std::min(due, watch_->due());
    if (app_ != nullptr) due = std::min(due, app_->due());
    if (plan_ && !draining_) due = std::min(due, plan_->due());
    static_cast<void>(::poll(entries.data(), entries.size(), milliseconds_until(due)));
    const auto ended = [](const pollfd& entry) { return (entry.revents & POLLHUP) != 0; };
    if (std::any_of(entries.begin() + channels, entries.end(), ended)) family_.check_listeners();
}

void Supervisor::look_past_us()
{
    if (watch_ == nullptr) return;
    const bool forbids = watch_->forbids(Clock::now());
    family_.house().exposed.set(watch_->exposed());
    family_.house().forbidden.set(forbids ? 1 : 0);
    if (!forbids || draining_) return;
    if (!family_.established()) throw StartError{ExitCode::configuration, watch_->reason()};
    log::error("not serving any longer", {{"reason", watch_->reason()}});
    forbidden_ = true;
    drain(watch_->reason());
}

std::optional<ExitCode> Supervisor::answer(int signal)
{
    switch (signal) {
    case SIGCHLD:
        reap();
        return std::nullopt;
    case SIGHUP:
        reload_asked_ = true;
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
    if (told_before || signal == SIGQUIT) {
        log::warn("stopped at once", {{"signal", signal}});
        if (app_ != nullptr) app_->kill();
        return ExitCode::failure;
    }
    if (!draining_) plan_drain(signal); // else it drains already, on its own account
    return std::nullopt;
}

/// An app of our own ends after us: it is not waited for.
void Supervisor::plan_drain(int signal)
{
    DrainSettings settings = family_.drain_settings();
    if (app_ != nullptr) {
        settings.apps.clear();
        app_->let_be_last();
    }
    log::info("told to end", {{"signal", signal},
                              {"delay_ms", settings.delay_ms},
                              {"timeout_ms", settings.timeout_ms},
                              {"waits_for_apps", settings.apps.size()}});
    plan_.emplace(std::move(settings), Clock::now());
    tell_stopping();
    family_.unready();
}

void Supervisor::keep_to_plan()
{
    if (plan_ && !draining_ && plan_->begins(Clock::now())) drain("a signal");
}

void Supervisor::drain(std::string_view reason)
{
    if (std::exchange(draining_, true)) return;
    const TimePoint now = Clock::now();
    if (!plan_) {
        plan_.emplace(family_.drain_settings(), now);
        tell_stopping();
    }
    log::info("draining", {{"reason", reason}, {"timeout_ms", plan_->left(now).count()}});
    if (app_ != nullptr) app_->let_be_last();
    family_.drain(now, plan_->left(now));
    if (next_ != nullptr) next_->let_go();
}

void Supervisor::reap()
{
    int status{};
    for (pid_t pid{}; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        family_.bury(pid, status, Clock::now());
        if (app_ != nullptr) app_->bury(pid);
    }
}

void Supervisor::tell_stopping() const
{
    if (manager_ != nullptr) manager_->stopping();
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
