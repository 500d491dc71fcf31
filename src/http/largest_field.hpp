// What a 431 tells of a head that is too large.
#pragma once

#include <string_view>

#include "sallyport/http/refusal.hpp"

namespace sallyport::http {

/// The refusal with the largest field of these lines, the last of which may be cut short.
[[nodiscard]] Refused with_largest_field(Refusal reason, std::string_view lines);

} // namespace sallyport::http
