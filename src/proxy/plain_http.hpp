// What a browser is told that speaks plain HTTP to a TLS port.
#pragma once

#include <string_view>

#include "sallyport/net/socket.hpp"

namespace sallyport::proxy {

/// The handshake's reason (tls::HandshakeFailure) for such a client.
inline constexpr std::string_view kPlainHttp = "http request";

/// Sends a 400 with a sentence, as far as the socket takes it at once.
void answer_plain_http(net::Socket& client);

} // namespace sallyport::proxy
