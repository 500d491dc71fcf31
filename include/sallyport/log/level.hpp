// The log's level after its start.
#pragma once

#include "sallyport/log/log.hpp"

namespace sallyport::log {

/// From now on lines of this level and above are written. Any thread.
void use_level(Level level);

} // namespace sallyport::log
