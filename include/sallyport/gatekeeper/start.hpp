// The program `sallyport`: the gatekeeper's whole life, from its command line to its exit code.
#pragma once

namespace sallyport::gatekeeper {

/// `run` (also without a command), `check`, `--help`, `--version`. Whatever stops it before it serves is told on
/// standard error: what, where and how to mend it. Returns the exit code (base/start_error.hpp).
[[nodiscard]] int start(int count, const char* const* arguments);

} // namespace sallyport::gatekeeper
