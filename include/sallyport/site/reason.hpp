// Why an exchange ended badly: one row for each reason, with all that anybody asks of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "sallyport/base/result.hpp"
#include "sallyport/http/http2_code.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::site {

/// The names (`facts`) are in the log: append, never rename.
enum class Reason : std::uint8_t {
    none, ///< it ended well, whatever the app's status was
    // the client's doing
    client_malformed, ///< a `http::Refusal` says more
    header_timeout,
    body_timeout, ///< no byte of the body for the whole of `body_timeout`
    body_too_slow,
    body_too_large,
    no_route,
    misdirected,
    client_left,    ///< an end or a reset before the response was through
    client_stalled, ///< it does not take the response
    tunnel_idle,
    h2_protocol, ///< what breaks a rule of HTTP/2 itself
    h2_flood,
    // the app's doing
    app_unresolved,
    app_refused,
    app_unreachable,
    app_connect_timeout,
    app_timeout,   ///< no response head within `response_timeout`
    app_closed,    ///< an end before the response head was through
    app_reset,     ///< a reset, likewise
    app_malformed, ///< a `http::Refusal` says more
    app_truncated, ///< an end or a reset within the response
    app_stalled,   ///< the response stands still
    // ours
    over_limit,
    draining,
    cut, ///< the drain's time was over
    internal_error,
};

struct ReasonFacts {
    Reason reason;
    std::string_view name; ///< "app_refused"; empty for `none`
    /// What the client is told; if `is_answered` is false what the log says where no response had begun (nginx's 499).
    std::uint16_t status;
    bool is_answered; ///< false: the client is gone, or has had a response head: the connection or stream is reset
    Side side;
    log::Level level;
    http::Http2Code h2;   ///< for RST_STREAM, where no answer is possible any more
    std::string_view say; ///< to the client: a sentence that tells nothing of the app or of us
};

[[nodiscard]] const ReasonFacts& facts(Reason reason);

/// "Bad Gateway"; of a status that nobody registered "Error".
[[nodiscard]] std::string_view status_text(std::uint16_t status);

} // namespace sallyport::site
