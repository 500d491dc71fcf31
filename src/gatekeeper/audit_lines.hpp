// What is written about certificates: lines of the audit stream, and the texts in them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

/// One audit line per pair, and warnings: of files that others may read, of memory that could not be locked.
void write_loaded(const ipc::Loaded& loaded);

/// "a,b".
[[nodiscard]] std::string joined(const std::vector<std::string>& names);

/// "2026-11-21T23:15:00Z".
[[nodiscard]] std::string utc_text(std::int64_t seconds_since_epoch);

} // namespace sallyport::gatekeeper
