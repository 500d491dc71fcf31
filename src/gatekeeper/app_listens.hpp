// Whether the app listens yet, as the kernel's tables tell it: nobody connects to it only to find out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "listening_sockets.hpp"
#include "sallyport/base/socket_address.hpp"

namespace sallyport::gatekeeper {

/// Whether one of these takes connections to that TCP address: it listens there, or on every address. Pure.
[[nodiscard]] bool takes_connections(const SocketAddress& app, const std::vector<ListeningSocket>& listening);

/// The address of the socket that a row of /proc/net/unix tells of, as in "unix:/run/app.sock", "unix:@app"; nothing
/// if it does not listen. Pure.
[[nodiscard]] std::optional<std::string> parse_listening_unix(const std::string& row);

/// Somebody listens on this address now, in our network namespace. Nothing if /proc does not tell.
[[nodiscard]] std::optional<bool> app_listens(const SocketAddress& app);

} // namespace sallyport::gatekeeper
