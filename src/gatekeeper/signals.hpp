// The signals that the gatekeeper answers, turned into a descriptor to poll.
#pragma once

#include <vector>

#include "sallyport/base/unique_fd.hpp"

namespace sallyport::gatekeeper {

/// Blocks SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2 and SIGWINCH in this thread and all made later,
/// and queues them in `fd`. As PID 1 the kernel drops a signal with its default action, elsewhere it kills: so
/// SIGPIPE is ignored, and both behave alike. The others get their default action back: an ignored signal is not
/// queued, and with SIGCHLD ignored the kernel would do the reaping.
class Signals {
public:
    /// Errors: StartError (os_error). Thread: before a second thread exists.
    Signals();

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Those that have come since the last call; never blocks. Several of one number may have become one.
    [[nodiscard]] std::vector<int> take();

private:
    UniqueFd fd_;
};

} // namespace sallyport::gatekeeper
