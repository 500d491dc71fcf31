#include "cage.hpp"

#include <cerrno>
#include <csignal>

#include <sys/syscall.h>
#include <unistd.h>

#include "filter.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/seccomp.hpp"
#include "sallyport/sys/spawn.hpp"

namespace sallyport::privsep {

namespace {

using ipc::SandboxLevel;
using ipc::SeccompMode;

void must(const Profile& profile, const Result<void>& result)
{
    if (!result) refuse_to_confine(profile, result.error().doing, result.error().cause.message());
}

std::uint32_t own_id()
{
    return static_cast<std::uint32_t>(::getpid());
}

void enter_domain(const Profile& profile, const Grants& grants, Cage& cage)
{
    sys::Domain domain{.reaches_abstract_sockets = grants.abstract_sockets};
    if (profile.files == Reach::granted) domain.readable = grants.readable;
    if (profile.tcp_ports == Reach::granted) domain.connect_ports = grants.connect_ports;
    const Result<sys::Guards> entered = sys::enter(domain);
    // A container's runtime may forbid what the kernel has.
    if (!entered)
        cage.lacks.push_back({"landlock", "landlock(7) allowed: " + entered.error().cause.message()});
    else
        cage.guards = *entered;
    if (!sys::holds(cage.guards)) refuse_to_confine(profile, "landlock", "entered, but it refuses nothing");
    if (!entered) return;
    if (!cage.guards.files) cage.lacks.push_back({"landlock", "Linux 5.13 with Landlock enabled (lsm=landlock,…)"});
    if (!cage.guards.network) cage.lacks.push_back({"landlock network", "Linux 6.7"});
    if (!cage.guards.scopes) cage.lacks.push_back({"landlock scopes", "Linux 6.12"});
}

/// A call that the filter answers with EPERM, and that is harmless where it does not.
bool refuses_its_probe(const Profile& profile)
{
    if (profile.filtering == Filtering::forbids)
        return ::syscall(SYS_process_madvise, -1, nullptr, 0, 0, 0) != 0 && errno == EPERM;
    struct sigaction handler{};
    return ::sigaction(SIGSYS, nullptr, &handler) != 0 && errno == EPERM;
}

void prove_filter(const Profile& profile, SeccompMode mode)
{
    if (sys::is_filtered() != true) refuse_to_confine(profile, "seccomp", "installed, but the kernel shows no filter");
    if (mode == SeccompMode::enforce && !refuses_its_probe(profile))
        refuse_to_confine(profile, "seccomp", "installed, but it refuses nothing");
}

void tell_traps(const Profile& profile)
{
    static const ipc::Bytes kMessage = ipc::encode(ipc::Trapped{});
    must(profile, sys::report_traps(sys::kControlFd, kMessage, sizeof(ipc::Control)));
}

void install_filter(const Profile& profile, SeccompMode mode, const Grants& grants, Cage& cage)
{
    if (profile.filtering == Filtering::permits) tell_traps(profile);
    const auto filter = filter_of(profile, mode, grants, own_id());
    if (const auto installed = sys::install(filter, sys::Threads::caller); !installed) {
        cage.lacks.push_back({"seccomp", "seccomp(2) with filters: " + installed.error().cause.message()});
        return;
    }
    prove_filter(profile, mode);
    cage.seccomp = mode;
}

} // namespace

Cage enter_cage(const Profile& profile, const ipc::SandboxSettings& sandbox, const Grants& grants)
{
    Cage cage;
    if (sandbox.level == SandboxLevel::none) return cage;
    if (profile.files != Reach::unlimited) enter_domain(profile, grants, cage);
    if (sandbox.seccomp != SeccompMode::none) install_filter(profile, sandbox.seccomp, grants, cage);
    if (sandbox.level == SandboxLevel::required && !cage.lacks.empty())
        refuse_to_confine(profile, cage.lacks.front().guard,
                          "sandbox.level is 'required', and it needs " + cage.lacks.front().needs);
    return cage;
}

std::string guards_text(const sys::Guards& guards)
{
    if (!guards.files) return "none";
    return std::string{"files"} + (guards.network ? ",network" : "") + (guards.scopes ? ",scopes" : "");
}

std::string_view mode_text(SeccompMode mode)
{
    switch (mode) {
    case SeccompMode::enforce:
        return "enforce";
    case SeccompMode::log:
        return "log";
    case SeccompMode::none:
        break;
    }
    return "none";
}

void tighten(const Profile& profile, SeccompMode in_force)
{
    if (in_force == SeccompMode::none) return;
    const auto filter = tightening_of(profile, in_force);
    must(profile, sys::install(filter, sys::Threads::all));
    prove_filter(profile, in_force);
    log::audit("sandbox tightened", {{"profile", profile.name}, {"rules", filter.rules.size()}});
}

} // namespace sallyport::privsep
