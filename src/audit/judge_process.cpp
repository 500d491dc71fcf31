#include <algorithm>
#include <array>
#include <iomanip>
#include <sstream>

#include "judge.hpp"
#include "sallyport/audit/mend.hpp"

namespace sallyport::audit {

namespace {

using sys::CapabilitySets;
using sys::kNetBindService;

constexpr const char* kNotOurs = "stop it: this is not how a start leaves it; compare its lines in the audit stream";

/// The rows of one process. Before a start most of them only tell what the gatekeeper would begin with: what it lowers
/// itself is no fault of the place.
class Judge {
public:
    Judge(const ProcessFacts& process, const Facts& facts, std::vector<Row>& rows)
        : process_{process}, facts_{facts}, rows_{rows}
    {
    }

    void judge()
    {
        judge_capabilities();
        judge_bounding_set();
        judge_no_new_privs();
        judge_seccomp();
        judge_landlock();
        judge_dumpable();
        judge_user();
        judge_file();
        judge_descriptors();
        judge_environment();
    }

private:
    void add(Grade grade, std::string_view what, std::string value, std::string mend = {})
    {
        rows_.push_back({grade, process_.name, std::string{what}, std::move(value), std::move(mend)});
    }
    [[nodiscard]] std::string line(Guard guard) const { return mend(guard, facts_.runtime); }
    /// A guard that the process sets itself.
    void add_own(std::string_view what, bool holds, const std::string& value)
    {
        if (!facts_.live)
            add(Grade::ok, what, value + (holds ? "" : ", until the start sets it"));
        else
            add(holds ? Grade::ok : Grade::fail, what, value, holds ? "" : kNotOurs);
    }

    void judge_capabilities();
    void judge_bounding_set();
    void judge_no_new_privs();
    void judge_seccomp();
    void judge_landlock();
    void judge_dumpable();
    void judge_user();
    void judge_file();
    void judge_descriptors();
    void judge_environment();

    const ProcessFacts& process_;
    const Facts& facts_;
    std::vector<Row>& rows_;
};

std::string set_text(std::uint64_t set)
{
    if (set == 0) return "none";
    if (set == kNetBindService) return "cap_net_bind_service";
    std::ostringstream text;
    text << std::hex << std::setw(16) << std::setfill('0') << set
         << ((set & kNetBindService) != 0 ? ", with cap_net_bind_service" : ", without cap_net_bind_service");
    return text.str();
}

void Judge::judge_capabilities()
{
    struct Set {
        std::string_view what;
        std::uint64_t has;
        std::uint64_t lawful;
    };
    const CapabilitySets& sets = process_.status.capabilities;
    for (const Set& set :
         {Set{"capabilities_permitted", sets.permitted, process_.lawful},
          Set{"capabilities_effective", sets.effective, 0}, Set{"capabilities_inheritable", sets.inheritable, 0},
          Set{"capabilities_ambient", sets.ambient, 0}}) {
        const bool is_lawful = (set.has & ~set.lawful) == 0;
        if (facts_.live)
            add(is_lawful ? Grade::ok : Grade::fail, set.what, set_text(set.has), is_lawful ? "" : kNotOurs);
        else
            add(Grade::ok, set.what, set_text(set.has) + (set.has != 0 ? ", until the start lowers it" : ""));
    }
}

/// Only CAP_SETPCAP empties it, which a start as root has; no_new_privs bars the way to what is left in it.
void Judge::judge_bounding_set()
{
    constexpr std::string_view kWhat = "capabilities_bounding";
    const CapabilitySets& sets = process_.status.capabilities;
    const std::string text = set_text(sets.bounding);
    if ((sets.bounding & ~kNetBindService) == 0)
        add(Grade::ok, kWhat, text);
    else if (!facts_.live && (sets.permitted & sys::kSetPcap) != 0)
        add(Grade::ok, kWhat, text + ", until the start empties it");
    else
        add(Grade::warn, kWhat, text, line(Guard::bounding_set));
}

void Judge::judge_no_new_privs()
{
    const bool holds = process_.status.no_new_privs;
    add_own("no_new_privs", holds, holds ? "yes" : "no");
}

void Judge::judge_seccomp()
{
    constexpr std::string_view kWhat = "seccomp";
    const bool holds = process_.status.filtered;
    if (!facts_.live)
        return add(Grade::ok, kWhat, holds ? "a filter stands around it" : "no filter, until the start installs one");
    if (!holds && process_.own_filters == 0) return add(Grade::ok, kWhat, "no filter: it would bind the app as well");
    if (!holds) return add(Grade::warn, kWhat, "no filter", line(Guard::seccomp));
    if (!process_.status.filters || !process_.filters_around)
        return add(
            Grade::warn, kWhat,
            "a filter is in force; whether it is its own or its container's is not to be told from here: see its "
            "line 'confined', or ask within the container");
    const std::uint32_t around = *process_.filters_around;
    const std::uint32_t own = *process_.status.filters - std::min(around, *process_.status.filters);
    const std::string value = std::to_string(own) + " of its own, " + std::to_string(around) + " around it";
    const bool is_right = process_.own_filters == 0 ? own == 0 : own >= process_.own_filters;
    if (is_right) return add(Grade::ok, kWhat, value);
    add(Grade::warn, kWhat, value + "; " + std::to_string(process_.own_filters) + " are to be its own",
        line(Guard::seccomp));
}

void Judge::judge_landlock()
{
    const int abi = facts_.landlock_abi;
    if (abi == 0)
        return add(Grade::warn, "landlock", "this kernel has none",
                   "Linux 5.13 or later, with landlock among the values of its lsm= parameter");
    add(Grade::ok, "landlock",
        "this kernel has ABI " + std::to_string(abi) +
            (facts_.live ? "; whether this process is under it the kernel shows nobody: see its line 'confined'" : ""));
}

void Judge::judge_dumpable()
{
    if (!facts_.live) {
        const std::string now = !process_.dumpable ? "" : *process_.dumpable ? "yes, " : "no, and ";
        return add(Grade::ok, "dumpable", now + "the start forbids it");
    }
    if (!process_.dumpable) return add(Grade::warn, "dumpable", "not to be told of a process of root's");
    add_own("dumpable", !*process_.dumpable, *process_.dumpable ? "yes" : "no");
}

void Judge::judge_user()
{
    const sys::StatusFacts& status = process_.status;
    const std::string value = "uid " + std::to_string(status.uid) + ", gid " + std::to_string(status.gid);
    if (status.uid != 0) return add(Grade::ok, "user", value);
    if (facts_.live) return add(Grade::fail, "user", value, kNotOurs);
    add(Grade::warn, "user", value + ", until the start leaves root", line(Guard::user));
}

/// With the effective bit, execve(2) itself fails where the bounding set lacks the capability.
void Judge::judge_file()
{
    constexpr std::string_view kWhat = "file_capability";
    if (!process_.file) return add(Grade::warn, kWhat, kUnreadable);
    const auto& file = *process_.file;
    if (!file) return add(Grade::ok, kWhat, "none");
    const std::string value = set_text(file->permitted) + (file->effective ? "=ep" : "=p");
    const bool is_gatekeepers = !facts_.live || process_.starts_app;
    if ((file->permitted & ~(is_gatekeepers ? kNetBindService : process_.lawful)) != 0)
        return add(Grade::fail, kWhat, value, "setcap -r FILE: it carries more than it may");
    if (file->effective)
        return add(
            Grade::warn, kWhat, value,
            "setcap cap_net_bind_service=p FILE: with the effective bit it cannot even be executed after drop ALL");
    add(Grade::ok, kWhat, value);
}

void Judge::judge_descriptors()
{
    constexpr std::string_view kWhat = "descriptors";
    constexpr std::uint64_t kPlenty = 4096;
    if (!process_.descriptors) return add(Grade::warn, kWhat, kUnreadable);
    const auto [soft, hard] = *process_.descriptors;
    const std::string value = "soft " + std::to_string(soft) + ", hard " + std::to_string(hard);
    const bool is_enough = hard >= kPlenty;
    add(is_enough ? Grade::ok : Grade::warn, kWhat, value, is_enough ? "" : line(Guard::descriptors));
}

void Judge::judge_environment()
{
    constexpr std::string_view kWhat = "environment";
    if (!process_.secrets) return add(Grade::warn, kWhat, kUnreadable);
    std::string names;
    for (const Secret& secret : *process_.secrets)
        names += (names.empty() ? "" : ", ") + secret.variable + (secret.is_private_key ? " (a private key)" : "");
    if (names.empty()) return add(Grade::ok, kWhat, "no secret is left in it");
    const bool has_key = std::ranges::any_of(*process_.secrets, &Secret::is_private_key);
    add(has_key ? Grade::fail : Grade::warn, kWhat, "holds " + names, line(Guard::environment));
}

} // namespace

void judge_process(const ProcessFacts& process, const Facts& facts, std::vector<Row>& rows)
{
    Judge{process, facts, rows}.judge();
}

} // namespace sallyport::audit
