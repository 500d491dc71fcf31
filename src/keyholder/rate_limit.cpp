#include "rate_limit.hpp"

#include <utility>

namespace sallyport::keyholder {

std::optional<std::uint64_t> RateLimit::admit(std::int64_t now)
{
    const std::int64_t window = now / kWindowSeconds;
    if (window != std::exchange(window_, window)) lines_ = 0;
    if (lines_ >= kLinesPerWindow) {
        ++suppressed_;
        return std::nullopt;
    }
    ++lines_;
    return std::exchange(suppressed_, 0);
}

} // namespace sallyport::keyholder
