#include "audit_command.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "bypass.hpp"
#include "diagnosis.hpp"
#include "sallyport/audit/mend.hpp"
#include "sallyport/privsep/profiles.hpp"
#include "sallyport/sys/spawn.hpp"
#include "settings.hpp"
#include "starter.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr std::uint16_t kUsualPort = 443;

constexpr audit::Role role_of(const privsep::Profile& profile)
{
    const bool tightens = std::ranges::any_of(
        profile.calls, [](const privsep::Call& call) { return call.until == privsep::Phase::starting; });
    return {.name = profile.name,
            .executable = profile.executable,
            .lawful = profile.keeps_net_bind_service ? sys::kNetBindService : 0,
            .own_filters = 1U + (tightens ? 1U : 0U)};
}

std::vector<audit::Role> roles()
{
    std::vector<audit::Role> all;
    for (const privsep::Profile& profile : privsep::kProfiles)
        all.push_back(role_of(profile));
    all.push_back({.name = privsep::kStarter.name,
                   .executable = kStarterName,
                   .lawful = 0,
                   .own_filters = 0,
                   .starts_app = true});
    return all;
}

std::vector<config::Listener> usual_listener()
{
    config::Listener listener;
    listener.bind = {.text = ":" + std::to_string(kUsualPort), .where = config::AnyAddress{kUsualPort}};
    return {listener};
}

std::string own_file()
{
    const std::string name{privsep::profile(privsep::Process::gatekeeper).executable};
    const auto directory = sys::executable_directory();
    return directory ? *directory + "/" + name : name;
}

audit::Row judge_bypass(const config::Config& config, const std::optional<Neighbourhood>& around, sys::Runtime runtime);

audit::Row half_given(const std::string& mistake)
{
    return {.grade = audit::Grade::warn,
            .process = "",
            .what = "configuration",
            .value = "not all of it is given here, so a listener on :443 is judged: " + mistake,
            .mend = "give the same flags to audit as to run"};
}

audit::Report report_here(const AuditOrder& order, const audit::Files& files)
{
    const audit::Facts facts = audit::facts_here(files);
    audit::Report report{.live = false, .runtime = facts.runtime, .rows = {}};
    const auto listeners = order.config ? order.config->listeners : usual_listener();
    report.rows = judge_binds(listeners, sys::collect_bind_facts(), own_file());
    if (!order.half_given.empty()) report.rows.push_back(half_given(order.half_given));
    if (order.config) report.rows.push_back(judge_bypass(*order.config, look_around(), facts.runtime));
    std::ranges::move(audit::judge(facts), std::back_inserter(report.rows));
    return report;
}

audit::Report report_of_family(std::uint32_t pid, const audit::Files& files)
{
    const auto facts = audit::facts_of_family(files, pid, roles());
    if (!facts) throw StartError{ExitCode::unavailable, facts.error()};
    return {.live = true, .runtime = facts->runtime, .rows = audit::judge(*facts)};
}

/// As the kernel would decide it; `need` names the port that is asked for.
audit::Row judge_bind(const PlannedListener& planned, const Need& need, const sys::BindFacts& facts)
{
    audit::Row row{
        .grade = audit::Grade::ok, .process = "", .what = "bind " + planned.bind.text, .value = {}, .mend = {}};
    const auto start = facts.unprivileged_port_start.value_or(Rights{}.unprivileged_from);
    if (planned.path == Path::inherited) {
        row.value = "is inherited, if whoever starts us passes it";
    } else if (need.port == 0 || need.port >= start) {
        row.value = "needs no privilege";
    } else if (planned.path == Path::capability) {
        row.value = "by CAP_NET_BIND_SERVICE, which is permitted";
    } else {
        row.grade = audit::Grade::fail;
        row.value = sentence(verdict_of(facts, need.port));
        row.mend = remedies(facts.runtime, need);
    }
    return row;
}

/// `around`: nothing if /proc does not tell.
audit::Row judge_bypass(const config::Config& config, const std::optional<Neighbourhood>& around, sys::Runtime runtime)
{
    audit::Row row{
        .grade = audit::Grade::ok, .process = "", .what = "bypass", .value = "no app is reachable past us", .mend = {}};
    const auto found = around ? exposures(upstreams_of(config), *around, {}) : std::set<Exposure>{};
    if (!around) {
        row.grade = audit::Grade::warn;
        row.value = "/proc/net/tcp may not be read";
    } else if (!found.empty()) {
        row.grade = config.bypass.strict ? audit::Grade::fail : audit::Grade::warn;
        row.value = "upstream " + found.begin()->upstream + " listens on " + found.begin()->listens_on;
        row.mend = audit::mend(audit::Guard::bypass, runtime);
    }
    return row;
}

} // namespace

std::vector<audit::Row> judge_binds(const std::vector<config::Listener>& listeners, const sys::BindFacts& facts,
                                    const std::string& executable)
{
    const Rights rights{.net_bind_service = (facts.status.capabilities.permitted & sys::kNetBindService) != 0,
                        .unprivileged_from = facts.unprivileged_port_start.value_or(Rights{}.unprivileged_from)};
    const std::vector<PlannedListener> plan = plan_binds(listeners, 1, rights);
    std::vector<audit::Row> rows;
    for (const PlannedListener& planned : plan) {
        const Need need{.port = port_of(planned.bind), .lowest_port = lowest_port(plan), .executable = executable};
        rows.push_back(judge_bind(planned, need, facts));
    }
    return rows;
}

ExitCode audit(const AuditOrder& order)
{
    const audit::Files files = audit::this_machine();
    const audit::Report report = order.pid ? report_of_family(*order.pid, files) : report_here(order, files);
    const std::string text = order.json ? as_json(report) : as_text(report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return report.failed() ? ExitCode::failure : ExitCode::ok;
}

} // namespace sallyport::gatekeeper
