#include "sallyport/privsep/confine.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <netinet/in.h>

#include "cage.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/process.hpp"

namespace sallyport::privsep {

namespace {

/// What was had, for the proof and for the audit line.
struct Applied {
    std::uint64_t permitted{}; ///< what the permitted set must be now
    sys::BoundingSet bounding{};
    std::uint64_t descriptor_limit{};
};

Applied apply(const Profile&);
void prove(const Profile&, const Applied&);
void report(const Profile&, const Applied&, const Cage&);

template <typename T>
T done(const Profile& profile, Result<T> result)
{
    if (!result) {
        const std::error_code cause = result.error().cause;
        refuse_to_confine(profile, result.error().doing, cause ? cause.message() : "refused");
    }
    if constexpr (!std::is_void_v<T>) return *result;
}

void grant(Grants& grants, const ipc::AppAddress& app)
{
    if (!app.host.empty()) { // its addresses may be of either family
        grants.ipv4 = grants.ipv6 = true;
        grants.connect_ports.push_back(app.port);
    } else if (app.address.is_unix()) {
        grants.unix_sockets = true;
        grants.abstract_sockets = grants.abstract_sockets || app.address.unix_path().empty();
    } else {
        (app.address.family() == AF_INET ? grants.ipv4 : grants.ipv6) = true;
        grants.connect_ports.push_back(app.address.port());
    }
}

void must_hold(const Profile& profile, bool holds, std::string_view guard)
{
    if (!holds) refuse_to_confine(profile, guard, "set, but read back from the kernel it does not hold");
}

} // namespace

Confined confine(const Profile& profile, const ipc::SandboxSettings& sandbox, const Grants& grants)
{
    if (profile.files != Reach::unlimited) done(profile, sys::read_ahead());
    const Applied applied = apply(profile);
    prove(profile, applied);
    const Cage cage = enter_cage(profile, sandbox, grants);
    report(profile, applied, cage);
    Confined confined{.seccomp = cage.seccomp, .landlock = guards_text(cage.guards)};
    for (const Lack& lack : cage.lacks)
        confined.lacking.emplace_back(lack.guard);
    return confined;
}

Grants grants_for(const std::vector<ipc::Upstream>& upstreams, const std::optional<ipc::NameService>& names)
{
    Grants grants;
    for (const ipc::Upstream& upstream : upstreams)
        for (const ipc::AppAddress& app : upstream.addresses)
            grant(grants, app);
    if (!names) return grants;
    grants.udp = true;
    for (const SocketAddress& server : names->servers)
        grant(grants, {.host = {}, .port = {}, .address = server});
    return grants;
}

void refuse_to_confine(const Profile& profile, std::string_view what, const std::string& why)
{
    throw StartError{ExitCode::os_error,
                     "cannot confine the " + std::string{profile.name} + ": " + std::string{what} + ": " + why};
}

namespace {

Applied apply(const Profile& profile)
{
    Applied applied;
    if (profile.raises_descriptor_limit) applied.descriptor_limit = done(profile, sys::raise_descriptor_limit());
    if (!profile.core_dumps) done(profile, sys::forbid_core_dumps());
    const std::uint64_t lawful = profile.keeps_net_bind_service ? sys::kNetBindService : 0;
    applied.permitted = done(profile, sys::capability_sets()).permitted & lawful;
    applied.bounding = done(profile, profile.keeps_net_bind_service ? sys::keep_only_net_bind_service()
                                                                    : sys::drop_all_capabilities());
    if (profile.no_new_privs) done(profile, sys::set_no_new_privs());
    // The last one: changing capabilities may change the flag.
    if (!profile.dumpable) done(profile, sys::set_undumpable());
    return applied;
}

void prove_capabilities(const Profile& profile, const Applied& applied)
{
    const sys::CapabilitySets now = done(profile, sys::capability_sets());
    must_hold(profile, now.permitted == applied.permitted, "permitted capabilities");
    must_hold(profile, now.effective == 0, "no effective capability");
    must_hold(profile, now.inheritable == 0, "no inheritable capability");
    must_hold(profile, now.ambient == 0, "no ambient capability");
    must_hold(profile, applied.bounding == sys::BoundingSet::kept || now.bounding == 0, "empty bounding set");
    // The sets say so; the kernel must act so too.
    const bool raised = sys::RaisedNetBindService{}.raised();
    must_hold(profile, raised == (applied.permitted != 0), "CAP_NET_BIND_SERVICE out of reach");
}

void prove(const Profile& profile, const Applied& applied)
{
    prove_capabilities(profile, applied);
    must_hold(profile, !profile.no_new_privs || done(profile, sys::no_new_privs()), "no_new_privs");
    must_hold(profile, profile.core_dumps || done(profile, sys::core_dumps_forbidden()), "no core dumps");
    must_hold(profile, profile.dumpable || sys::kStaysDumpable || !done(profile, sys::dumpable()), "not dumpable");
}

void report(const Profile& profile, const Applied& applied, const Cage& cage)
{
    const bool emptied = applied.bounding == sys::BoundingSet::emptied;
    log::audit("confined", {
                               {"profile", profile.name},
                               {"permitted_capabilities", applied.permitted != 0 ? "cap_net_bind_service" : "none"},
                               {"bounding_set", emptied ? "empty" : "kept"},
                               {"no_new_privs", profile.no_new_privs},
                               {"dumpable", profile.dumpable || sys::kStaysDumpable},
                               {"core_dumps", profile.core_dumps},
                               {"landlock", guards_text(cage.guards)},
                               {"landlock_abi", cage.guards.abi},
                               {"seccomp", mode_text(cage.seccomp)},
                           });
    if (profile.raises_descriptor_limit) log::audit("descriptor limit raised", {{"limit", applied.descriptor_limit}});
    if (!emptied)
        log::audit("guard not available", {{"guard", "empty bounding set"}, {"needs", "CAP_SETPCAP when started"}});
    if (!profile.dumpable && sys::kStaysDumpable)
        log::audit("guard not available", {{"guard", "not dumpable"}, {"needs", "a build without sanitizers"}});
    for (const Lack& lack : cage.lacks)
        log::audit("guard not available", {{"guard", lack.guard}, {"needs", lack.needs}});
}

} // namespace

} // namespace sallyport::privsep
