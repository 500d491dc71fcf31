#include "diagnosis.hpp"

#include <array>
#include <iomanip>
#include <sstream>

namespace sallyport::gatekeeper {

namespace {

using sys::kNetBindService;

constexpr std::string_view kSysctl = "net.ipv4.ip_unprivileged_port_start";
constexpr std::uint16_t kUsualStart = 1024;
constexpr int kColumn = 38;

struct Row {
    std::string_view what;
    std::string value;
};

std::string set_text(std::string_view key, std::uint64_t bits)
{
    std::ostringstream text;
    text << ((bits & kNetBindService) != 0 ? "yes" : "no") << " (" << key << ' ' << std::hex << std::setw(16)
         << std::setfill('0') << bits << ')';
    return text.str();
}

std::string file_text(const std::optional<sys::FileCapability>& file, const std::string& executable)
{
    if (!file) return "none on " + executable;
    const bool ours = (file->permitted & kNetBindService) != 0;
    return (ours ? "cap_net_bind_service=" : "others than cap_net_bind_service, =") +
           std::string{file->effective ? "ep" : "p"} + " on " + executable;
}

std::string fact_lines(const sys::BindFacts& facts, const std::string& executable)
{
    const sys::CapabilitySets& sets = facts.status.capabilities;
    const auto& start = facts.unprivileged_port_start;
    const std::array rows{
        Row{"user id", std::to_string(facts.status.uid) + (facts.status.uid == 0 ? " (root)" : "")},
        Row{"CAP_NET_BIND_SERVICE permitted", set_text("CapPrm", sets.permitted)},
        Row{"CAP_NET_BIND_SERVICE effective", set_text("CapEff", sets.effective)},
        Row{"CAP_NET_BIND_SERVICE inheritable", set_text("CapInh", sets.inheritable)},
        Row{"CAP_NET_BIND_SERVICE bounding", set_text("CapBnd", sets.bounding)},
        Row{"CAP_NET_BIND_SERVICE ambient", set_text("CapAmb", sets.ambient)},
        Row{"file capability", file_text(facts.file_capability, executable)},
        Row{"no_new_privs", facts.status.no_new_privs ? "yes" : "no"},
        Row{kSysctl, start ? std::to_string(*start) : "not readable"},
        Row{"runtime recognised", std::string{name(facts.runtime)}},
    };
    std::ostringstream text;
    for (const Row& row : rows)
        text << "  " << std::left << std::setw(kColumn) << row.what << row.value << '\n';
    return text.str();
}

} // namespace

Verdict verdict_of(const sys::BindFacts& facts, std::uint16_t port)
{
    const sys::CapabilitySets& sets = facts.status.capabilities;
    if (port >= facts.unprivileged_port_start.value_or(kUsualStart)) return Verdict::not_about_ports;
    if ((sets.permitted & kNetBindService) != 0) return Verdict::held_but_refused;
    if ((sets.bounding & kNetBindService) == 0) return Verdict::dropped_from_bounding;
    if (facts.file_capability && (facts.file_capability->permitted & kNetBindService) != 0)
        return facts.status.no_new_privs ? Verdict::no_new_privs : Verdict::file_ignored;
    return facts.status.uid == 0 ? Verdict::root_without : Verdict::no_file_capability;
}

std::string_view sentence(Verdict verdict)
{
    switch (verdict) {
    case Verdict::no_file_capability:
        return "A user that is not root gets CAP_NET_BIND_SERVICE from the executable's file or from the ambient set; "
               "neither has it. Adding the capability to the container alone changes nothing for such a user.";
    case Verdict::dropped_from_bounding:
        return "CAP_NET_BIND_SERVICE was dropped from the bounding set (drop ALL?), so no file and no user can have "
               "it.";
    case Verdict::no_new_privs:
        return "The executable's file carries the capability, but no_new_privs voids that unless the program before it "
               "held the capability: a shell, tini or another init in front loses it, and so does a runtime that gives "
               "none to a user that is not root.";
    case Verdict::file_ignored:
        return "The executable's file carries the capability, but the kernel ignores it: a nosuid mount, or a user "
               "namespace that does not own the file.";
    case Verdict::root_without:
        return "Started as root, but without CAP_NET_BIND_SERVICE among the permitted capabilities.";
    case Verdict::held_but_refused:
        return "CAP_NET_BIND_SERVICE is held, but the network namespace belongs to another user namespace (a rootless "
               "container on the host's network?), or a security module refused.";
    case Verdict::not_about_ports:
        return "The port is not a privileged one here, so another guard refused: SELinux, AppArmor, a seccomp filter, "
               "or systemd's SocketBindDeny=.";
    }
    return "";
}

std::string diagnosis(const std::string& bind, const Need& need, const sys::BindFacts& facts)
{
    const Verdict verdict = verdict_of(facts, need.port);
    std::ostringstream text;
    text << "cannot bind " << bind << ": permission denied\n\n"
         << fact_lines(facts, need.executable) << "\nWhy: " << sentence(verdict);
    if (verdict == Verdict::not_about_ports) return text.str();
    text << "\n\nWhat mends it: " << remedies(facts.runtime, need) << "or listen on a port from "
         << facts.unprivileged_port_start.value_or(kUsualStart) << " up, or let the parent bind it (`bind: fd:N`).";
    return text.str();
}

} // namespace sallyport::gatekeeper
