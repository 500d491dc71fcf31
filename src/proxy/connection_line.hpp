// The line that the log has for a connection of `mode: tcp`, and for one of `mode: http` that came to no exchange.
#pragma once

#include "connection.hpp"

namespace sallyport::proxy {

/// What a connection has carried, as far as it came to that.
struct Carried {
    std::string_view upstream;
    std::uint64_t from_client{0};
    std::uint64_t to_client{0};
};

/// The only place that logs a connection's end; the level follows from whose doing it was. A probe (not one byte, and
/// the client's own end) is counted and not logged.
void write_connection_line(Connection& c, const Result<void>& outcome, const Carried& carried);

} // namespace sallyport::proxy
