// How a server proves that it has understood a WebSocket's key (RFC 6455).
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace sallyport::crypto {

/// The value of Sec-WebSocket-Accept: 28 characters of Base64.
using WebSocketProof = std::array<char, 28>;

/// Nothing if the key is none: it is 16 bytes in Base64 (§4.1).
[[nodiscard]] std::optional<WebSocketProof> websocket_proof(std::string_view key);

} // namespace sallyport::crypto
