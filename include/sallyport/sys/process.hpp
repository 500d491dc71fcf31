// What a process does to itself before it serves: flags, limits, descriptors, signals.
#pragma once

#include <cstdint>
#include <span>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// Sanitizers read /proc/self and write reports, so their builds stay dumpable. Everything else is the same.
#ifdef SALLYPORT_SANITIZED
inline constexpr bool kStaysDumpable = true;
#else
inline constexpr bool kStaysDumpable = false;
#endif

/// PR_SET_NO_NEW_PRIVS, for the calling thread and what it starts, for ever.
[[nodiscard]] Result<void> set_no_new_privs();
[[nodiscard]] Result<bool> no_new_privs();

/// PR_SET_DUMPABLE 0: no core, no ptrace and no /proc/PID/mem by others of the same user. Nothing if kStaysDumpable.
[[nodiscard]] Result<void> set_undumpable();
[[nodiscard]] Result<bool> dumpable();

/// RLIMIT_CORE 0, soft and hard.
[[nodiscard]] Result<void> forbid_core_dumps();
[[nodiscard]] Result<bool> core_dumps_forbidden();

/// Raises the soft RLIMIT_NOFILE to the hard one; the limit now in force.
[[nodiscard]] Result<std::uint64_t> raise_descriptor_limit();

/// Closes every descriptor that is not named. Needs no /proc.
[[nodiscard]] Result<void> close_all_but(std::span<const int> kept);

/// Opens /dev/null for each of 0, 1 and 2 that is closed, so that no socket ever becomes somebody's standard output.
/// The first act of a main.
[[nodiscard]] Result<void> ensure_standard_descriptors();

/// Ignores each of these signals. A child of the gatekeeper ends when its control channel does, so it ignores SIGINT,
/// SIGTERM and SIGHUP: a terminal's Ctrl-C and systemd's stop reach the whole group, and would cut what is to drain.
[[nodiscard]] Result<void> ignore_signals(std::span<const int> signals);

/// The calling thread's name in ps and top: at most 15 bytes, the rest is cut.
void name_thread(const char* name);

} // namespace sallyport::sys
