// The worker's real main: everything from the control channel to the last connection.
#pragma once

#include "sallyport/base/start_error.hpp"

namespace sallyport::worker {

/// Receives its settings over sys::kControlFd, confines itself, serves until the gatekeeper tells it to drain or dies.
/// The code to exit with. Thread: the process's first, before any other exists.
[[nodiscard]] ExitCode run();

} // namespace sallyport::worker
