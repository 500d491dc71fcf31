// Why a stream or a connection of HTTP/2 was ended (RFC 9113 §7).
#pragma once

#include <cstdint>

namespace sallyport::http {

/// A peer may send numbers that are none of these.
enum class Http2Code : std::uint32_t {
    no_error,
    protocol_error,
    internal_error,
    flow_control_error,
    settings_timeout,
    stream_closed,
    frame_size_error,
    refused_stream, ///< nothing was done for it: it may be asked again
    cancel,
    compression_error,
    connect_error,
    enhance_your_calm,
    inadequate_security,
    http_1_1_required,
};

} // namespace sallyport::http
