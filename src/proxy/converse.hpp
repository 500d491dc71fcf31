// The conversation with the app: the request goes there, the response comes back, both at once.
#pragma once

#include "exchange.hpp"

namespace sallyport::proxy {

/// Returns when both directions have ended; what went wrong is the exchange's failure.
[[nodiscard]] net::Task<void> converse(Exchange& x);

} // namespace sallyport::proxy
