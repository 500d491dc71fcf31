// What follows a 101: bytes both ways, until both sides have ended (RFC 9110 §7.8).
#pragma once

#include "exchange.hpp"

namespace sallyport::proxy {

/// The head of the 101 has gone out: from now on every byte is the tunnel's.
void begin_tunnel(Exchange& x);

/// Half-closes are kept. Returns when both directions have ended; what went wrong is the exchange's failure.
[[nodiscard]] net::Task<void> tunnel(Exchange& x);

} // namespace sallyport::proxy
