// The rows of what is bounded and written of requests, where the mode is http.
#pragma once

#include "row.hpp"

namespace sallyport::config {

[[nodiscard]] Rows<HttpLimits> http_limits_rows();
[[nodiscard]] Rows<Http2Limits> http2_limits_rows();
[[nodiscard]] Rows<AccessLog> access_log_rows();

} // namespace sallyport::config
