// Starting one of our own executables with nothing but a control channel.
#pragma once

#include <string>

#include <sys/types.h>

#include "sallyport/base/result.hpp"
#include "sallyport/sys/channel.hpp"

namespace sallyport::sys {

/// Where a child finds its end of the control channel.
inline constexpr int kControlFd = 3;
/// Below it stands what a child shares with others: the log's descriptors, its control channel.
inline constexpr int kFirstOwnFd = kControlFd + 1;

struct Child {
    pid_t pid{-1};
    Channel control; ///< our end; close-on-exec
};

/// posix_spawn(3), which copies no page tables. The child has an empty environment, argv = {file name without its
/// directory}, descriptor 0 on /dev/null, our 1 and 2 (/dev/null where we have none), its control channel at
/// kControlFd, nothing else; default signal dispositions and an empty signal mask. Waits until the exec has succeeded
/// or failed. Errors: the failed call's errno, execve's included; no child is left. Thread: any; nobody else may reap
/// the child before this returns.
[[nodiscard]] Result<Child> spawn(const std::string& executable);

/// The directory of the running executable, without a slash at its end: empty for the root directory. It stays right
/// when the file itself has been replaced since.
[[nodiscard]] Result<std::string> executable_directory();

} // namespace sallyport::sys
