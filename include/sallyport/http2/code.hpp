// Why a stream or a connection was ended, as this module calls it.
#pragma once

#include <string_view>

#include "sallyport/http/http2_code.hpp"

namespace sallyport::http2 {

using Code = http::Http2Code;

/// In lower case with underscores, for the log; "unknown" for other numbers.
[[nodiscard]] std::string_view name(Code code);

} // namespace sallyport::http2
