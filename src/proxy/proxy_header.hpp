// PROXY headers: the one that a load balancer sends us, and the one that we send an app.
#pragma once

#include "connection.hpp"
#include "sallyport/upstream/upstream.hpp"

namespace sallyport::proxy {

/// Takes the header off, and tells the connection who its client is (`Connection::introduction`). Not one byte behind
/// it is read. Without a header it succeeds where the listener's rules let it. Errors: forbidden (from a peer that is
/// not trusted), malformed, truncated, aborted.
[[nodiscard]] net::Task<Result<void>> receive_proxy_header(Connection& c);

/// The first bytes to a new connection of the app's, if its upstream wants them.
[[nodiscard]] Result<void> send_proxy_header(Connection& c, const upstream::Upstream& upstream, net::Socket& app);

} // namespace sallyport::proxy
