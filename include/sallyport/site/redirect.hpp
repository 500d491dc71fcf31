// `redirect: https`: the same address, with TLS.
#pragma once

#include <cstdint>
#include <string>

#include "sallyport/http/request_head.hpp"

namespace sallyport::site {

/// The status of the answer: the method stays (RFC 9110 §15.4.9).
inline constexpr std::uint16_t kRedirectStatus = 308;

/// Appends the value of `Location`: https, the request's host, `port` unless it is 443, path and query. False, and
/// nothing appended: the request has no host (HTTP/1.0), and is answered with 400.
[[nodiscard]] bool append_location(std::string& out, const http::RequestHead& head, std::uint16_t port);

} // namespace sallyport::site
