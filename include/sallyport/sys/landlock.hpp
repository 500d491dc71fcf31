// Landlock (landlock(7)): what a process, and whatever it starts, can still reach of files, TCP ports and other
// processes, whoever it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// What stays reachable; everything else of the kind is refused with EACCES (signals: EPERM).
struct Domain {
    std::vector<std::string> readable{}; ///< directories or files that may be read; those not there are passed over
    std::vector<std::uint16_t> connect_ports{}; ///< TCP ports, of any address, that may be connected to; none to bind
    bool reaches_abstract_sockets{false};       ///< of strangers
};

/// What the kernel has of it. Read and write, execute, make and remove are one guard; a kernel below 5.19, 6.2 or 6.10
/// lacks a part of it (moving files, truncating, device ioctls).
struct Guards {
    int abi{0}; ///< 0: no Landlock
    bool files{false};
    bool network{false};
    bool scopes{false}; ///< signals and abstract sockets

    bool operator==(const Guards&) const = default;
};

/// Of the running kernel, by its answer.
[[nodiscard]] Guards available_guards();

/// What a Landlock of this ABI has. Above 7: as 7.
[[nodiscard]] Guards guards_of(int abi);

/// Enters it for ever, with all guards that the kernel has. Needs no_new_privs. Nothing happens without Landlock.
/// Thread: the calling one and those it makes later. In sanitizer builds all files stay readable: their runtimes read
/// /proc and executables for their reports.
[[nodiscard]] Result<Guards> enter(const Domain& domain);

/// After `enter`: tries a listing of "/", a bind and a signal to the parent. True if each guard refused its own.
[[nodiscard]] bool holds(const Guards& guards);

} // namespace sallyport::sys
