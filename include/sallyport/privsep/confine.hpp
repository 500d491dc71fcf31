// Applying a profile to the calling process, and proving it afterwards: the only caller of sys's lock-down functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/ipc/control.hpp"
#include "sallyport/privsep/profiles.hpp"

namespace sallyport::privsep {

/// What the configuration adds to a row of the table; only what the row calls `granted` counts.
struct Grants {
    std::vector<std::string> readable{};        ///< directories
    std::vector<std::uint16_t> connect_ports{}; ///< TCP ports of upstreams and name servers
    bool ipv4{false};                           ///< families of upstreams and name servers, for TCP
    bool ipv6{false};
    bool udp{false}; ///< of the same families: names are looked up
    bool unix_sockets{false};
    bool abstract_sockets{false};

    bool operator==(const Grants&) const = default;
};

/// What a worker is granted for these upstreams, and for looking their names up.
[[nodiscard]] Grants grants_for(const std::vector<ipc::Upstream>& upstreams,
                                const std::optional<ipc::NameService>& names = {});

/// What came of confining a process.
struct Confined {
    ipc::SeccompMode seccomp{ipc::SeccompMode::none}; ///< `none` also where it could not be had
    std::string landlock;                             ///< "files,network,scopes", or "none"
    std::vector<std::string> lacking{};               ///< guards that could not be had
};

/// "enforce", "log", "none".
[[nodiscard]] std::string_view mode_text(ipc::SeccompMode mode);

/// Raises the descriptor limit, sets no_new_privs, forbids core dumps, makes the process undumpable and drops
/// capabilities, as the profile says; unless the sandbox's level is `none`, enters a Landlock domain and installs the
/// system call filter of the phase `starting`. Then it reads each of them back from the kernel and tries what must
/// fail. What was done, and which guard could not be had, goes to the audit stream; the log's thread starts later. A
/// trapped call is told as ipc::Trapped on sys::kControlFd. Throws StartError (os_error) naming the guard that does not
/// hold, and, at level `required`, the one that cannot be had. Thread: before a second thread exists, log's included:
/// threads inherit all of it.
Confined confine(const Profile& profile, const ipc::SandboxSettings& sandbox, const Grants& grants = {});

/// All threads: takes away what only the phase `starting` has, for ever. Nothing if `confine` has answered `none`.
/// Throws StartError (os_error). The last act before the process serves.
void tighten(const Profile& profile, ipc::SeccompMode in_force);

} // namespace sallyport::privsep
