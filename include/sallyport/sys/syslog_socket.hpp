// The socket that a machine's syslog daemon or journal reads from.
#pragma once

#include <string>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

inline constexpr const char* kSyslogPath = "/dev/log";

/// Connected, for one datagram a message; close-on-exec. Errors: nobody listens there, or we may not write to it.
[[nodiscard]] Result<UniqueFd> connect_syslog(const std::string& path = kSyslogPath);

} // namespace sallyport::sys
