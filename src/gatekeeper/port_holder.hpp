// Who already holds a TCP port, as far as /proc tells this process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "listening_sockets.hpp"

namespace sallyport::gatekeeper {

/// The rows of /proc/net/tcp or tcp6 that listen on the port. A row that is not understood is left out.
[[nodiscard]] std::vector<ListeningSocket> listening_on(std::string_view table, std::uint16_t port);

/// "nginx (pid 812)", several joined by ", "; "a process of uid 0" where /proc hides which; empty if nobody is
/// found (a holder in another PID namespace, or gone by now). Slow: reads every process; for error texts only.
[[nodiscard]] std::string holder_of(std::uint16_t port);

} // namespace sallyport::gatekeeper
