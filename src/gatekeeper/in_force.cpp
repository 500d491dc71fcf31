#include "in_force.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "names.hpp"
#include "pem_secrets.hpp"
#include "plaintext.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/config/changes.hpp"
#include "sallyport/log/level.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/file_text.hpp"
#include "sallyport/sys/process.hpp"

namespace sallyport::gatekeeper {

namespace {

/// More of them would be a new configuration altogether.
constexpr std::size_t kChangesToldMax = 100;

void tell_changes(const std::vector<config::Change>& changes)
{
    std::string keys;
    for (const config::Change& change : changes)
        keys += (keys.empty() ? "" : ", ") + change.key;
    log::audit("new configuration", {{"changes", changes.size()}, {"keys", keys}});
    for (const config::Change& change : std::span{changes}.first(std::min(changes.size(), kChangesToldMax)))
        log::info("configuration changes", {{"key", change.key}, {"from", change.from}, {"to", change.to}});
}

/// What the files of this machine say of names, as it is told to a worker.
ipc::Bytes names_in(const Settings& settings)
{
    ipc::Bytes all = settings.names ? ipc::encode(*settings.names) : ipc::Bytes{};
    for (const ipc::Upstream& upstream : settings.upstreams)
        std::ranges::copy(ipc::encode(upstream), std::back_inserter(all));
    return all;
}

bool listens_at(const config::Config& config, const SocketAddress& address)
{
    return std::ranges::any_of(config.listeners, [&](const config::Listener& listener) {
        const auto* bound = std::get_if<SocketAddress>(&listener.bind.where);
        return bound != nullptr && *bound == address;
    });
}

/// Of Unix sockets that both have.
void set_socket_modes(const config::Config& from, const config::Config& to)
{
    for (const config::Listener& listener : to.listeners) {
        const auto* address = std::get_if<SocketAddress>(&listener.bind.where);
        const bool was_other = std::ranges::any_of(from.listeners, [&](const config::Listener& before) {
            return before.bind.where == listener.bind.where && before.bind.socket_mode != listener.bind.socket_mode;
        });
        if (was_other && address != nullptr && ::chmod(address->unix_path().c_str(), listener.bind.socket_mode) != 0)
            log::warn("socket keeps its permissions",
                      {{"listener", listener.bind.text}, {"reason", last_errno().message()}});
    }
}

} // namespace

Settings settings_in(const Surroundings& around, const config::Config& config)
{
    Settings settings = settings_of(config, around.machine);
    take_names(settings, config.dns, sys::read_text);
    settings.audit_fd = around.audit_fd;
    return settings;
}

std::vector<PlannedListener> bind_plan(const config::Config& config, const Machine& machine)
{
    const sys::BindFacts facts = sys::collect_bind_facts();
    const Rights rights{.net_bind_service = (facts.status.capabilities.permitted & sys::kNetBindService) != 0,
                        .unprivileged_from = facts.unprivileged_port_start.value_or(Rights{}.unprivileged_from)};
    return plan_binds(config.listeners, shards_of(config, machine), rights);
}

std::vector<PassedSocket> sockets_of_systemd()
{
    return passed_sockets(::getpid(), [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string{name}.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>{value};
    });
}

InForce::InForce(Surroundings around, config::Config config, std::vector<SocketFile> files, AdminSocket admin,
                 BypassWatch& watch)
    : around_{std::move(around)},
      config_{std::move(config)},
      files_{std::move(files)},
      admin_{std::move(admin)},
      watch_{watch}
{
    around_.machine.in_force = shards_of(config_, around_.machine);
}

std::optional<GenerationPlan> InForce::read_anew(Family& family)
{
    config::Config next = load();
    refuse_what_is_fixed(next);
    take_secrets(next, family.secrets());
    Settings settings = settings_in(around_, next);
    const std::vector<config::Change> changes = config::changes(config_, next);
    std::optional<AdminSocket> admin;
    if (!admin_.socket) admin = bind_admin(next); // its name may have been taken until now
    const bool is_told_the_same = next == config_ && !(admin && admin->socket);
    if (is_told_the_same && names_in(settings) == names_in(family.current().settings())) return std::nullopt;

    Bound bound = bind_all(bind_plan(next, around_.machine), sockets_of_systemd(), open_listeners(family));
    if (next.bypass.strict) refuse_exposed(settings, bound, family);
    if (!admin && config::admin_address(next) != config::admin_address(config_)) admin = bind_admin(next);
    (admin ? *admin : admin_).tell(settings, next, ::geteuid());
    tell_changes(changes);
    candidate_ = Candidate{std::move(next), std::move(bound.files), std::move(admin)};
    return GenerationPlan{std::move(settings), std::move(bound.listeners)};
}

config::Config InForce::load() const
{
    auto config = around_.load();
    if (config) return std::move(*config);
    for (const config::Diagnostic& mistake : config.error())
        log::error("mistake in the configuration", {{"mistake", mistake.print()}});
    throw StartError{ExitCode::configuration, config.error().front().print()};
}

/// Threads have sockets of their own, which another user than the first cannot add; a filter cannot be taken off, and
/// binds whom we start; the app, the log and our user are as they were at the start.
void InForce::refuse_what_is_fixed(const config::Config& next) const
{
    const bool other_app = around_.runs_app && next.app != config_.app;
    const bool other_shards = shards_of(next, around_.machine) != shards_of(config_, around_.machine);
    std::string fixed;
    for (const auto& [key, changes] :
         {std::pair{"shards", other_shards}, std::pair{"user", next.user != config_.user}, std::pair{"app", other_app},
          std::pair{"sandbox", next.sandbox != config_.sandbox},
          std::pair{"log.format", next.log.format != config_.log.format},
          std::pair{"log.audit", next.log.audit != config_.log.audit}})
        if (changes) fixed += (fixed.empty() ? "" : ", ") + std::string{key};
    if (!fixed.empty())
        throw StartError{ExitCode::configuration,
                         "what takes a restart has changed: " + fixed + "; restart, or leave it as it was"};
}

void InForce::refuse_exposed(const Settings& next, const Bound& bound, const Family& family) const
{
    std::set<std::uint64_t> ours = inodes_of(bound.listeners);
    ours.merge(inodes_of(family.current().listeners()));
    if (const std::string why = watch_.objection(next.upstreams, ours); !why.empty())
        throw StartError{ExitCode::configuration, why};
}

std::vector<OpenListener> InForce::open_listeners(const Family& family) const
{
    std::vector<OpenListener> open;
    for (const BoundListener& bound : family.current().listeners())
        if (const config::Bind& bind = config_.listeners.at(bound.listener).bind; !is_inherited(bind))
            open.push_back({bind, bound});
    return open;
}

void InForce::settle(const Family& family, bool in_force)
{
    auto candidate = std::exchange(candidate_, std::nullopt);
    if (!candidate || !in_force) return;
    set_socket_modes(config_, candidate->config);
    config_ = std::move(candidate->config);
    if (candidate->admin) admin_ = *std::move(candidate->admin);
    std::erase_if(files_, [&](const SocketFile& file) { return !listens_at(config_, file.address()); });
    std::ranges::move(candidate->files, std::back_inserter(files_));
    const Generation& now = family.current();
    log::use_level(static_cast<log::Level>(config_.log.level));
    warn_of_plaintext(now.settings().listeners, now.listeners());
    watch_.watch(now.settings().upstreams, inodes_of(now.listeners()), config_.bypass.strict);
    log::audit("configuration reloaded", {{"generation", now.number()}});
}

void InForce::let_go()
{
    std::set<int> numbers;
    for (const config::Listener& listener : config_.listeners)
        if (const auto* fd = std::get_if<config::InheritedFd>(&listener.bind.where)) numbers.insert(fd->number);
    for (const PassedSocket& socket : sockets_of_systemd())
        numbers.insert(socket.number);
    for (const int number : numbers)
        if (sys::is_inherited(number) && number > STDERR_FILENO) ::close(number);
}

} // namespace sallyport::gatekeeper
