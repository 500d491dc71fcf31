// The answers that are not the app's: errors and redirects.
#pragma once

#include "exchange.hpp"

namespace sallyport::proxy {

/// Tells the client why the exchange failed, or where to go instead. Once a response has begun there is nothing to tell
/// any more: the client's stream is aborted.
[[nodiscard]] net::Task<void> answer_ourselves(Exchange& x);

} // namespace sallyport::proxy
