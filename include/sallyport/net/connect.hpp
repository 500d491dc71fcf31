// Reaching the app: one connection to one address.
#pragma once

#include "sallyport/base/socket_address.hpp"
#include "sallyport/net/socket.hpp"
#include "sallyport/net/task.hpp"

namespace sallyport::net {

/// A non-blocking, close-on-exec stream socket for the address, with TCP_NODELAY where it is TCP, and
/// keep-alive unless it is on this host.
/// Errors: over_limit when descriptors are exhausted.
[[nodiscard]] Result<UniqueFd> make_socket(const SocketAddress& address);

/// Connects; ends when connected, refused, or cancelled (`socket.cancel()`, the caller's deadline: Fault::aborted).
/// A Unix socket whose queue is full is tried again every few milliseconds until then.
[[nodiscard]] Task<Result<void>> connect(Socket& socket, const SocketAddress& address, EventLoop& loop);

} // namespace sallyport::net
