// So many lines in so many seconds: what a captured worker can write into our log.
#pragma once

#include <cstdint>
#include <optional>

namespace sallyport::keyholder {

inline constexpr std::uint32_t kLinesPerWindow = 10;
inline constexpr std::int64_t kWindowSeconds = 10;

/// Thread: one.
class RateLimit {
public:
    /// If a line may be written now: how many were suppressed since the last one. `now` is in seconds of any clock.
    [[nodiscard]] std::optional<std::uint64_t> admit(std::int64_t now);

private:
    std::int64_t window_{-1};
    std::uint32_t lines_{0};
    std::uint64_t suppressed_{0};
};

} // namespace sallyport::keyholder
