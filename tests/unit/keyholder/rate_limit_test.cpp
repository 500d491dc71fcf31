#include "keyholder/rate_limit.hpp"

#include "support/catch.hpp"

using namespace sallyport::keyholder;

TEST_CASE("So many lines pass in a window, and the next one tells how many did not", "[keyholder][rate]")
{
    RateLimit limit;
    const std::int64_t start = 1000 * kWindowSeconds;
    for (std::uint32_t i = 0; i < kLinesPerWindow; ++i)
        CHECK(limit.admit(start) == 0U);
    for (int i = 0; i < 7; ++i)
        CHECK(limit.admit(start + kWindowSeconds - 1) == std::nullopt);
    CHECK(limit.admit(start + kWindowSeconds) == 7U);
    CHECK(limit.admit(start + kWindowSeconds) == 0U);
}
