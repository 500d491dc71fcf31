// Moves bytes both ways between the client and the app until both ways are done.
#pragma once

#include "tcp_connection.hpp"

namespace sallyport::proxy {

/// - An orderly end on one side becomes a half-close on the other; the way back stays open.
/// - Back-pressure: a direction reads again only when all that it has read is sent, so one read per direction is the
///   most that a slow reader makes us hold.
/// - An app that resets, or a client that leaves without close_notify, ends both directions at once.
/// Ends when both directions have. Errors: what failed is noted in the connection.
[[nodiscard]] net::Task<void> relay(TcpConnection& c);

} // namespace sallyport::proxy
