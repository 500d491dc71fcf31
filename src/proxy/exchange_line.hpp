// The line that the log has for an exchange.
#pragma once

#include "exchange.hpp"

namespace sallyport::proxy {

/// To be called while the app's stream is still there.
void write_exchange_line(Exchange& x);

} // namespace sallyport::proxy
