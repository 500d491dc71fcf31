// What is written about certificates: lines of the audit stream.
#pragma once

#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

/// One audit line per pair, and warnings: of files that others may read, of memory that could not be locked.
void write_loaded(const ipc::Loaded& loaded);

} // namespace sallyport::gatekeeper
