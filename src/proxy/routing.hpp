// Which route takes a request, and what speaks against passing it on at all.
#pragma once

#include "exchange.hpp"

namespace sallyport::proxy {

/// False: the exchange has failed, or is answered by ourselves (a redirect).
[[nodiscard]] bool choose_route(Exchange& x);

} // namespace sallyport::proxy
