// THE table: what each process holds and may do. Everything that confines, documents or tests a process reads it here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sallyport/privsep/calls.hpp"

namespace sallyport::privsep {

enum class Process : std::uint8_t { gatekeeper, keyholder, worker, starter };

/// How a list of calls is meant.
enum class Filtering : std::uint8_t {
    forbids, ///< the calls fail with EPERM, all others are allowed
    permits  ///< the calls are allowed, all others trap
};

/// What Landlock leaves of the file system and of TCP.
enum class Reach : std::uint8_t {
    unlimited, ///< no domain: it would bind the app and every child as well
    granted,   ///< what the configuration names: directories to read, ports to connect to
    nothing
};

/// One row. The first half says what the process is for (the README's privilege table and the tests read it), the
/// second what `confine` applies and proves.
struct Profile {
    Process process;
    std::string_view name;       ///< on its log lines
    std::string_view executable; ///< the file beside the gatekeeper's own

    bool binds_ports;
    bool reads_files;
    bool holds_private_keys;
    bool reads_network;
    bool starts_processes;

    bool keeps_net_bind_service; ///< in the permitted set, never effective outside a bind
    bool raises_descriptor_limit;
    bool no_new_privs;
    bool dumpable; ///< relaxed in sanitizer builds (sys::kStaysDumpable)
    bool core_dumps;

    Reach files;
    Reach tcp_ports;
    Filtering filtering;
    std::span<const Call> calls;
    std::string_view descriptors; ///< every kind that it holds above standard error once it serves, as /proc names it
};

// clang-format off
inline constexpr std::array kProfiles{
    //       process              name          executable             binds  files  keys   net    starts  NBS    nofile nnp   dump   core
    //       files             tcp_ports         filtering            calls            descriptors
    Profile{ Process::gatekeeper, "gatekeeper", "sallyport",           true,  true,  false, false, true,   true,  true,  true, false, false,
             Reach::unlimited, Reach::unlimited, Filtering::forbids, kForbiddenCalls, "socket memfd signalfd" },
    Profile{ Process::keyholder,  "keyholder",  "sallyport-keyholder", false, true,  true,  false, false,  false, false, true, false, false,
             Reach::granted,   Reach::nothing,   Filtering::permits, kKeyholderCalls, "socket memfd inotify" },
    Profile{ Process::worker,     "worker",     "sallyport-worker",    false, false, false, true,  false,  false, true,  true, false, false,
             Reach::nothing,   Reach::granted,   Filtering::permits, kWorkerCalls,    "socket eventpoll eventfd" },
};

/// Beside the three, with `run -- command…` only: it starts the app and waits for it, as the app's user. What it gives
/// up here, the app never has. No cage: a filter or a domain would bind the app as well. The core limit stays the app's.
inline constexpr Profile kStarter{
             Process::starter,    "starter",    "sallyport",           false, false, false, false, true,   false, false, true, false, true,
             Reach::unlimited, Reach::unlimited, Filtering::forbids, {},              "socket signalfd" };
// clang-format on

/// Of one of the three.
[[nodiscard]] constexpr const Profile& profile(Process process)
{
    return kProfiles[static_cast<std::size_t>(process)];
}

} // namespace sallyport::privsep
