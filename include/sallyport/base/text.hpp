// Values as text for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

/// "a,b,c"
[[nodiscard]] std::string joined(const std::vector<std::string>& names);

/// "2026-11-22T07:00:00Z"
[[nodiscard]] std::string utc_text(std::int64_t seconds_since_epoch);

} // namespace sallyport
