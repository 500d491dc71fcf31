// Starting somebody else's program, and taking care of what it leaves behind.
#pragma once

#include <span>
#include <string>

#include <sys/types.h>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// fork(2) + execv(3) of words[0], looked for as a shell does: in PATH if it has no slash. It leads a session of its
/// own, so that a terminal's Ctrl-C does not reach it, and a process group of its pid. It has our environment, user,
/// limits and directory, every descriptor of ours that is not close-on-exec, default signal dispositions and an empty
/// mask. If we die, the kernel kills it (PR_SET_PDEATHSIG), unless it has changed that or its user.
/// Waits until the exec has succeeded or failed. Errors: the failed call's errno, the exec's included; no child is
/// left. Thread: of a process that has one only.
[[nodiscard]] Result<pid_t> start_program(std::span<const std::string> words);

/// PR_SET_CHILD_SUBREAPER: orphans below us become our children, to be reaped by us, also where we are not PID 1.
[[nodiscard]] Result<void> adopt_orphans();

} // namespace sallyport::sys
