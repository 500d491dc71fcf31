// The one line that the log has for each connection.
#pragma once

#include "connection.hpp"

namespace sallyport::proxy {

/// The only place that logs a connection's end; the level follows from whose doing it was. A probe (not one byte, and
/// the client's own end) is counted and not logged.
void write_access_line(Connection& c, const Result<void>& outcome);

} // namespace sallyport::proxy
