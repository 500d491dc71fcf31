// A client's HTTP/1.1 connection: one exchange after the other.
#pragma once

#include "http_connection.hpp"

namespace sallyport::proxy {

/// Requests until the client, a limit, a deadline or a drain ends it. Afterwards the client has been told.
[[nodiscard]] net::Task<void> serve_http1(HttpConnection& c);

} // namespace sallyport::proxy
