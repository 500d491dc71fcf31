// What an HTTP/1.1 app wants to see of a WebSocket that came by HTTP/2.
#pragma once

#include <array>

namespace sallyport::http2 {

/// 16 random bytes in Base64 (RFC 6455 §4.1).
[[nodiscard]] std::array<char, 24> make_websocket_key();

} // namespace sallyport::http2
