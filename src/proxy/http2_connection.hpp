// A client's HTTP/2 connection: exchanges side by side.
#pragma once

#include "http_connection.hpp"

namespace sallyport::proxy {

/// Requests until the client, a limit, a deadline or a drain ends it. Afterwards the client has been told.
[[nodiscard]] net::Task<void> serve_http2(HttpConnection& c);

} // namespace sallyport::proxy
