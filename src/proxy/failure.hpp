// What a stream's failure means for the exchange.
#pragma once

#include "exchange.hpp"

namespace sallyport::proxy {

[[nodiscard]] site::Reason reason_of(const Error& error, const Exchange& x);

} // namespace sallyport::proxy
