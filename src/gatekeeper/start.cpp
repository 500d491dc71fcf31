#include "sallyport/gatekeeper/start.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <span>
#include <string>

#include <unistd.h>

#include "admin_socket.hpp"
#include "app.hpp"
#include "audit_command.hpp"
#include "audit_stream.hpp"
#include "binder.hpp"
#include "check.hpp"
#include "dev_command.hpp"
#include "family.hpp"
#include "health.hpp"
#include "in_force.hpp"
#include "pem_secrets.hpp"
#include "plaintext.hpp"
#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/config/command_line.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/identity.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/resources.hpp"
#include "sallyport/sys/spawn.hpp"
#include "service_manager.hpp"
#include "starter.hpp"
#include "supervisor.hpp"
#include "verify_log.hpp"

namespace sallyport::gatekeeper {

namespace {

/// The log, from here to the end of the scope.
class LogRunning {
public:
    /// Borrows the descriptor.
    LogRunning(const config::Log& settings, int audit_fd)
    {
        log::start({.level = static_cast<log::Level>(settings.level),
                    .format = static_cast<log::Format>(settings.format),
                    .process = "gatekeeper",
                    .queue_lines = std::min(settings.queue_lines, log::kFewLines),
                    .audit_place = static_cast<log::AuditPlace>(settings.audit.place),
                    .audit_fd = audit_fd});
    }
    LogRunning(const LogRunning&) = delete;
    LogRunning& operator=(const LogRunning&) = delete;
    ~LogRunning() { log::stop(); }
};

template <typename T>
T must(Result<T> result, const std::string& what)
{
    if (!result) throw StartError{ExitCode::os_error, what + ": " + result.error().cause.message()};
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

int run_command(std::span<const char* const> words);
ExitCode obey(const config::CommandLine& line, Secrets secrets);
ExitCode run(const config::CommandLine& line, Secrets secrets);
ExitCode dev_as(const config::CommandLine& line, Secrets secrets);
/// What is served, and how it is read anew.
struct Served {
    const config::Config& config;
    const std::vector<std::string>& app; ///< the command, if there is one
    std::function<std::expected<config::Config, std::vector<config::Diagnostic>>()> load;
    std::function<void(Settings&)> change{}; ///< made before anybody gets them
};
ExitCode serve(Signals& signals, const Served& served, Secrets& secrets);
ExitCode check_as(const config::CommandLine& line, Secrets secrets);
config::Config load(const config::CommandLine& line, const Secrets& secrets);
config::Sources sources_of(const config::CommandLine& line, const Secrets& secrets);
config::Config load_from(const config::Sources& sources);
ExitCode audit_as(const config::CommandLine& line, const Secrets& secrets);
[[noreturn]] void refuse(const std::vector<config::Diagnostic>& mistakes);
Machine this_machine();
struct Sockets {
    Bound clients;
    AdminSocket admin;
};
Sockets take_privileged_steps(const config::Config& config, const Machine& machine, int audit_fd);
void leave_root(const config::User& user);
void warn_of_few_descriptors(const ipc::Limits& limits, const Machine& machine);

void say(std::FILE* stream, const std::string& text)
{
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

int failed(ExitCode code, const std::string& text)
{
    say(stderr, "sallyport: " + text + "\n");
    return static_cast<int>(code);
}

} // namespace

int start(int count, const char* const* arguments)
{
    try {
        return run_command(std::span{arguments, static_cast<std::size_t>(count)}.subspan(count > 0 ? 1 : 0));
    } catch (const StartError& error) {
        return failed(error.code(), error.what());
    } catch (const std::exception& error) {
        return failed(ExitCode::software, error.what());
    }
}

namespace {

/// The secrets first: until then every library call is one that could leave a copy of them somewhere.
int run_command(std::span<const char* const> words)
{
    must(sys::ensure_standard_descriptors(), "cannot open /dev/null");
    Secrets secrets = take_pem_pair();
    const auto line = config::parse_command_line(words);
    if (!line) return failed(ExitCode::usage, line.error());
    return static_cast<int>(obey(*line, std::move(secrets)));
}

ExitCode obey(const config::CommandLine& line, Secrets secrets)
{
    switch (line.command) {
    case config::Command::help:
        say(stdout, config::help());
        return ExitCode::ok;
    case config::Command::version:
        say(stdout, "sallyport " + std::string{version()} + " (build " + std::string{build_id()} + ")\n");
        return ExitCode::ok;
    case config::Command::check:
        if (line.schema) {
            say(stdout, config::json_schema());
            return ExitCode::ok;
        }
        if (line.print) {
            say(stdout, config::print(load(line, secrets)));
            return ExitCode::ok;
        }
        return check_as(line, std::move(secrets));
    case config::Command::audit:
        if (line.verify_log) return verify_log(*line.verify_log);
        return audit_as(line, secrets);
    case config::Command::health:
        return health(sources_of(line, secrets), line.ready);
    case config::Command::dev:
        return dev_as(line, std::move(secrets));
    case config::Command::run:
        break;
    }
    return run(line, std::move(secrets));
}

ExitCode run(const config::CommandLine& line, Secrets secrets)
{
    Signals signals;
    const config::Config config = load(line, secrets);
    take_secrets(config, secrets);
    const auto load_anew = [&] { return config::load(sources_of(line, secrets)); };
    return serve(signals, {.config = config, .app = line.app, .load = load_anew}, secrets);
}

ExitCode dev_as(const config::CommandLine& line, Secrets secrets)
{
    const auto is_given = [&](std::string_view flag) {
        return std::ranges::any_of(line.overrides.flags, [&](const auto& given) { return given.first == flag; });
    };
    config::Sources sources; // of neither the machine's file nor the environment
    sources.overrides = line.overrides;
    sources.overrides.flags.emplace_back("self-signed", "true");
    if (!is_given("log-format")) sources.overrides.flags.emplace_back("log-format", "plain");
    sources.default_path.clear();
    const auto load_with = [&](const std::string& to) {
        config::Sources one = sources;
        one.overrides.flags.emplace_back("to", to);
        return load_from(one);
    };
    const auto serve_changed = [&](const config::Config& config, Secrets own, const auto& change) {
        Signals signals;
        const auto the_same = [&] { return config; };
        return serve(signals, {.config = config, .app = line.app, .load = the_same, .change = change}, own);
    };
    return dev(line.dev, std::move(secrets),
               {.load = load_with,
                .serve = serve_changed,
                .executables = must(sys::executable_directory(), "cannot find the other executables"),
                .has_listen = is_given("listen")});
}

ExitCode serve(Signals& signals, const Served& served, Secrets& secrets)
{
    const config::Config& config = served.config;
    const std::string directory = must(sys::executable_directory(), "cannot find the other executables");
    // Before anything is changed that the app would inherit: limits, powers, filters.
    auto app_settings = app_settings_of(config, served.app);
    std::optional<Starter> starter;
    if (app_settings) starter.emplace(app_settings->order);
    const Machine machine = this_machine();
    const UniqueFd audit_stream = open_audit_stream(config.log.audit);
    const Surroundings around{
        .load = served.load, .machine = machine, .audit_fd = audit_stream.get(), .runs_app = starter.has_value()};
    Settings settings = settings_in(around, config);
    if (served.change) served.change(settings);
    Sockets sockets = take_privileged_steps(config, machine, audit_stream.get());
    Bound& bound = sockets.clients;
    sockets.admin.tell(settings, config, ::geteuid());
    const LogRunning log{config.log, audit_stream.get()};
    warn_of_few_descriptors(settings.hello.limits, machine);
    warn_of_plaintext(settings.listeners, bound.listeners);
    BypassWatch watch{settings.upstreams, inodes_of(bound.listeners), config.bypass.strict};
    InForce in_force{around, config, std::move(bound.files), std::move(sockets.admin), watch};
    Family family{directory, {std::move(settings), std::move(bound.listeners)}, secrets};
    std::optional<App> app;
    if (starter) app.emplace(std::move(*starter), std::move(*app_settings));
    const char* notify = std::getenv("NOTIFY_SOCKET");
    ServiceManager manager{notify == nullptr ? "" : notify};
    return supervise(family, signals,
                     {.watch = &watch, .app = app ? &*app : nullptr, .next = &in_force, .manager = &manager});
}

/// Everything that needs a power, and then the loss of all powers but one. The log's thread would inherit them, so its
/// lines wait until then; if a step fails they are written all the same.
Sockets take_privileged_steps(const config::Config& config, const Machine& machine, int audit_fd)
{
    try {
        Sockets sockets{.clients = bind_all(bind_plan(config, machine), sockets_of_systemd()),
                        .admin = bind_admin(config)};
        if (::geteuid() == 0) give_to(sockets.clients, config.user.uid, config.user.gid);
        if (sockets.admin.file && ::geteuid() == 0) sockets.admin.file->give_to(config.user.uid, config.user.gid);
        leave_root(config.user);
        privsep::confine(privsep::profile(privsep::Process::gatekeeper), sandbox_of(config.sandbox));
        return sockets;
    } catch (...) {
        const LogRunning log{config.log, audit_fd};
        throw;
    }
}

ExitCode check_as(const config::CommandLine& line, Secrets secrets)
{
    const config::Config config = load(line, secrets);
    take_secrets(config, secrets);
    const std::string directory = must(sys::executable_directory(), "cannot find the other executables");
    const Settings settings = settings_of(config, this_machine());
    leave_root(config.user);
    privsep::confine(privsep::profile(privsep::Process::gatekeeper), settings.hello.sandbox);
    const ipc::Loaded loaded = rehearse_certificates(directory, settings, secrets);
    say(stdout, describe(loaded) + "the configuration is good\n");
    return ExitCode::ok;
}

config::Sources sources_of(const config::CommandLine& line, const Secrets& secrets)
{
    config::Sources sources;
    sources.path = line.path;
    sources.overrides = line.overrides;
    sources.pem_in_environment = has_pem_pair(secrets);
    config::read_environment(environ, sources);
    return sources;
}

ExitCode audit_as(const config::CommandLine& line, const Secrets& secrets)
{
    AuditOrder order{.config = std::nullopt, .half_given = {}, .pid = line.pid, .json = line.json};
    const config::Sources sources = sources_of(line, secrets);
    if (order.pid || !config::is_given(sources)) return audit(order);
    // What the environment lacks may be in the flags of `run`, which an audit beside it is not given.
    auto config = config::load(sources);
    const bool is_asked_for = sources.path || !line.overrides.flags.empty();
    if (!config && is_asked_for) refuse(config.error());
    if (config) {
        forget_variables(*config);
        order.config = std::move(*config);
    } else {
        order.half_given = config.error().front().print();
    }
    return audit(order);
}

[[noreturn]] void refuse(const std::vector<config::Diagnostic>& mistakes)
{
    std::string text = "the configuration is wrong:";
    for (const config::Diagnostic& mistake : mistakes)
        text += "\n" + mistake.print();
    throw StartError{ExitCode::configuration, text};
}

/// Errors of both: StartError with every mistake of the configuration.
config::Config load_from(const config::Sources& sources)
{
    auto config = config::load(sources);
    if (!config) refuse(config.error());
    return std::move(*config);
}

config::Config load(const config::CommandLine& line, const Secrets& secrets)
{
    return load_from(sources_of(line, secrets));
}

bool is_orchestrated(sys::Runtime runtime)
{
    return runtime == sys::Runtime::ecs || runtime == sys::Runtime::kubernetes;
}

Machine this_machine()
{
    const sys::Allowance allowance = sys::our_allowance();
    return {.shards = sys::default_shards(allowance.cpus, allowance.tasks),
            .tasks = allowance.tasks,
            .descriptors = must(sys::raise_descriptor_limit(), "cannot raise the limit of descriptors"),
            .orchestrated = is_orchestrated(sys::collect_bind_facts().runtime)};
}

void warn_of_few_descriptors(const ipc::Limits& limits, const Machine& machine)
{
    const std::uint64_t needed = descriptors_for(limits.connections_max);
    if (needed > machine.descriptors)
        log::warn("max_connections is out of reach",
                  {{"needs_descriptors", needed},
                   {"limit", machine.descriptors},
                   {"remedy", "raise RLIMIT_NOFILE, or lower limits.max_connections"}});
}

/// What only root may do is done: the sockets are bound, and no file needs root.
void leave_root(const config::User& user)
{
    if (::geteuid() != 0) return;
    const std::string who = "user " + std::to_string(user.uid) + ", group " + std::to_string(user.gid);
    if (const Result<void> become = sys::become_user(user.uid, user.gid); !become)
        throw StartError{ExitCode::permission,
                         "started as root, but cannot become " + who + ": " + become.error().cause.message() +
                             "; start it as an unprivileged user (docker run --user 65532, systemd User=), or give it "
                             "CAP_SETUID and CAP_SETGID until it has changed"};
    log::audit("left root", {{"uid", user.uid}, {"gid", user.gid}});
}

} // namespace

} // namespace sallyport::gatekeeper
