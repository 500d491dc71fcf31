// What a process does to itself before it serves: flags, limits, descriptors, signals.
#pragma once

#include <cstdint>
#include <span>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// Sanitizers read /proc/self and executables, stop the process by ptrace(2) and write reports: their builds stay
/// dumpable, may read any file and make a few more system calls. Everything else is the same.
#ifdef SALLYPORT_SANITIZED
inline constexpr bool kStaysDumpable = true;
inline constexpr bool kReadsAllFiles = true;
#else
inline constexpr bool kStaysDumpable = false;
inline constexpr bool kReadsAllFiles = false;
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

/// Open, and not one of our own that took a number that was free: those are all close-on-exec.
[[nodiscard]] bool is_inherited(int fd);

/// The descriptor takes the place of standard input, where nobody reads.
[[nodiscard]] Result<void> move_to_standard_input(UniqueFd fd);

/// Ignores each of these signals. A child of the gatekeeper ends when its control channel does, so it ignores SIGINT,
/// SIGTERM and SIGHUP: a terminal's Ctrl-C and systemd's stop reach the whole group, and would cut what is to drain.
[[nodiscard]] Result<void> ignore_signals(std::span<const int> signals);

/// Has the C library read now what it would open a file for later, when no file can be opened any more: the time zone
/// (localtime(3)), and the kernel's overcommit policy, which malloc(3) asks for when a thread's heap first shrinks.
/// Starts a thread and waits for its end.
[[nodiscard]] Result<void> read_ahead();

/// The calling thread's name in ps and top: at most 15 bytes, the rest is cut.
void name_thread(const char* name);

} // namespace sallyport::sys
