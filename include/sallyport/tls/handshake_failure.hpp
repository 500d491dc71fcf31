// Why a handshake failed, in a few words: OpenSSL's error queue as one reason.
#pragma once

#include <string_view>

#include "sallyport/base/result.hpp"

namespace sallyport::tls {

struct HandshakeFailure {
    Fault fault;
    Side side;
    std::string_view reason; ///< static text: "no shared cipher", "client alert: unknown ca", "key unavailable"
};

/// Reads the calling thread's error queue and leaves it empty. For SSL_ERROR_SSL only, right after the failing call;
/// an empty queue is "unknown".
[[nodiscard]] HandshakeFailure take_handshake_failure();

} // namespace sallyport::tls
