// `sallyport audit --verify-log`: are lines of the audit stream missing, were some changed?
#pragma once

#include <string>

#include "sallyport/base/start_error.hpp"

namespace sallyport::gatekeeper {

/// Prints what log/verify.hpp finds in the file ("-": standard input), with line numbers. `failure` if there is a
/// fault; remarks are none. Errors: StartError (unavailable) if it cannot be read.
[[nodiscard]] ExitCode verify_log(const std::string& path);

} // namespace sallyport::gatekeeper
