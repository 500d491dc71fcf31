#include "app.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr int kSignalBase = 128;
constexpr std::size_t kMessageMax = 1024;

std::string in_words(Millis time)
{
    const auto ms = time.count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

const std::pair<const std::string, config::Upstream>& upstream_of(const config::Config& config)
{
    if (const auto named = config.upstreams.find(config.app.upstream); named != config.upstreams.end()) return *named;
    if (config.upstreams.size() == 1) return *config.upstreams.begin();
    throw StartError{ExitCode::configuration, "the configuration has " + std::to_string(config.upstreams.size()) +
                                                  " upstreams: name the one of the command after -- by app.upstream"};
}

/// The first of its addresses: the others are somebody else's.
SocketAddress own_address(const std::string& name, const config::Upstream& upstream)
{
    for (const config::AppAddress& one : upstream.address.list)
        if (one.host.empty()) return one.address;
    throw StartError{ExitCode::configuration, "upstream '" + name + "' of the command after -- has only names: give " +
                                                  "the address where the app will listen, such as 127.0.0.1:7766"};
}

/// As a shell has it.
ExitCode exit_code_of_refusal(int error)
{
    return error == ENOENT || error == ENOTDIR ? ExitCode::command_not_found : ExitCode::command_not_executable;
}

std::string refusal(const AppOrder& order, int error)
{
    const std::string& program = order.command.front();
    const bool is_path = program.find('/') != std::string::npos;
    return "cannot execute the app '" + program + "': " + std::generic_category().message(error) +
           (is_path ? "; it is a path" : "; it is looked for in the directories of PATH") + ", and user " +
           std::to_string(order.uid) + " must be able to execute it";
}

} // namespace

std::optional<AppSettings> app_settings_of(const config::Config& config, const std::vector<std::string>& command)
{
    if (command.empty()) return std::nullopt;
    const auto& [name, upstream] = upstream_of(config);
    const config::App& app = config.app;
    const bool is_root = ::geteuid() == 0;
    return AppSettings{.order = {.command = command,
                                 .uid = is_root ? app.uid : ::geteuid(),
                                 .gid = is_root ? app.gid : ::getegid(),
                                 .stop_signal = static_cast<int>(app.stop_signal),
                                 .stop_timeout = app.stop_timeout},
                       .upstream = {.name = name, .address = own_address(name, upstream)},
                       .restart = app.restart == config::Restart::on_failure,
                       .start_timeout = app.start_timeout};
}

ExitCode exit_code_of_status(int status)
{
    return static_cast<ExitCode>(WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status));
}

App::App(Starter starter, AppSettings settings, Look look)
    : settings_{std::move(settings)}, starter_{std::move(starter)}, look_{std::move(look)}
{
}

/// The starter ends the app when it hears that nobody wants more of it; its news are still told.
App::~App()
{
    let_be_last();
    starter_.dismiss([this] { hear(Clock::now()); });
}

void App::tend(TimePoint now)
{
    if (phase_ == Phase::waiting && now >= deadline_) start(now);
    if (phase_ == Phase::warming && now >= look_at_) look(now);
    check_deadline(now);
}

TimePoint App::due() const
{
    if (phase_ == Phase::gone || phase_ == Phase::listening) return TimePoint::max();
    return phase_ == Phase::warming ? std::min(deadline_, look_at_) : deadline_;
}

/// Before it has listened once, all its lives together have start_timeout: a start must end somehow.
void App::start(TimePoint now)
{
    if (starts_++ == 0 || has_listened_) ready_by_ = now + settings_.start_timeout;
    phase_ = Phase::starting;
    started_at_ = now;
    deadline_ = ready_by_;
    starter_.tell(ipc::StartApp{});
}

void App::look(TimePoint now)
{
    look_at_ = now + kLooksEvery;
    const std::optional<bool> listens = look_(settings_.upstream.address);
    if (!listens)
        log::warn("not known when the app listens",
                  {{"upstream", settings_.upstream.name}, {"reason", "/proc/net cannot be read"}});
    if (!listens.value_or(true)) return;
    phase_ = Phase::listening;
    has_listened_ = true;
    log::info("app listens", {{"upstream", settings_.upstream.name},
                              {"pid", pid_},
                              {"after_ms", std::chrono::duration_cast<Millis>(now - started_at_).count()}});
}

void App::check_deadline(TimePoint now)
{
    if (phase_ == Phase::waiting || now < due()) return;
    if (phase_ == Phase::ending) return lost("it does not end");
    const std::string late =
        "it did not listen on " + settings_.upstream.address.text() + " within " + in_words(settings_.start_timeout);
    if (!has_listened_)
        throw StartError{ExitCode::unavailable,
                         "the app '" + settings_.order.command.front() + "' runs, but " + late +
                             "; have it listen there, change the upstream, or raise app.start_timeout"};
    log::error("app killed", {{"pid", pid_}, {"reason", late}});
    deadline_ = TimePoint::max();
    look_at_ = TimePoint::max();
    kill();
}

void App::listen(TimePoint now)
{
    while (hear(now)) {
    }
}

bool App::hear(TimePoint now)
{
    pollfd entry{.fd = starter_.channel().fd(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) <= 0) return false;
    std::array<std::byte, kMessageMax> buffer;
    const Result<sys::Received> received = starter_.channel().receive(buffer);
    if (!received || received->size == 0) {
        starter_.channel() = {};
        lost("its starter has died");
        return false;
    }
    const std::span message{buffer.data(), received->size};
    if (const auto start = ipc::decode<ipc::AppStarted>(message)) started(start->pid);
    if (const auto refusal = ipc::decode<ipc::AppRefused>(message)) refused(refusal->error, now);
    if (const auto end = ipc::decode<ipc::AppEnded>(message)) ended(*end, now);
    return true;
}

void App::started(pid_t pid)
{
    pid_ = pid;
    if (phase_ == Phase::starting) phase_ = Phase::warming;
    look_at_ = {};
    log::audit("app started", {{"pid", pid},
                               {"program", settings_.order.command.front()},
                               {"uid", settings_.order.uid},
                               {"gid", settings_.order.gid},
                               {"restarts", starts_ - 1}});
}

void App::refused(int error, TimePoint now)
{
    const std::string text = refusal(settings_.order, error);
    exit_code_ = exit_code_of_refusal(error);
    if (!has_listened_ && !is_last_) {
        phase_ = Phase::gone;
        throw StartError{exit_code_, text};
    }
    log::error("app not started", {{"reason", text}});
    mourn("not executed", true, now);
}

void App::ended(const ipc::AppEnded& end, TimePoint now)
{
    exit_code_ = exit_code_of_status(end.status);
    if (end.overdue)
        log::error("app killed",
                   {{"pid", pid_}, {"reason", "it did not end within " + in_words(settings_.order.stop_timeout)}});
    mourn(how_it_died(end.status), exit_code_ != ExitCode::ok, now);
}

/// The kernel ends the app with its starter (sys/start_program.hpp).
void App::lost(std::string_view reason)
{
    if (phase_ == Phase::gone) return;
    log::error("app lost", {{"pid", pid_}, {"reason", reason}});
    phase_ = Phase::gone;
    exit_code_ = ExitCode::software;
}

void App::mourn(const std::string& how, bool has_failed, TimePoint now)
{
    const bool is_over = is_last_ || !has_failed || !settings_.restart;
    if (is_over) {
        phase_ = Phase::gone;
        log::audit(has_failed && !is_last_ ? "app died" : "app ended", {{"pid", pid_}, {"how", how}});
    } else {
        const Millis wait = backoff_.after(std::chrono::duration_cast<Millis>(now - started_at_));
        phase_ = Phase::waiting;
        deadline_ = now + wait;
        log::audit("app died", {{"pid", pid_}, {"how", how}, {"another_in_ms", wait.count()}});
    }
    pid_ = -1;
}

void App::bury(pid_t pid)
{
    if (pid == starter_.pid()) starter_.bury(); // what it said before, and the end of its channel, are heard next
}

void App::pass_on(int signal)
{
    log::info("signal passed on", {{"signal", signal}, {"pid", pid_}});
    starter_.tell(ipc::SignalApp{.number = signal});
}

void App::let_be_last()
{
    is_last_ = true;
    if (phase_ == Phase::waiting) phase_ = Phase::gone;
}

void App::end(TimePoint now)
{
    let_be_last();
    if (phase_ == Phase::gone || phase_ == Phase::ending) return;
    log::info(
        "app told to end",
        {{"pid", pid_}, {"signal", settings_.order.stop_signal}, {"timeout_ms", settings_.order.stop_timeout.count()}});
    phase_ = Phase::ending;
    deadline_ = now + settings_.order.stop_timeout + kGrace;
    starter_.tell(ipc::EndApp{});
}

void App::kill()
{
    starter_.tell(ipc::SignalApp{.number = SIGKILL});
}

} // namespace sallyport::gatekeeper
