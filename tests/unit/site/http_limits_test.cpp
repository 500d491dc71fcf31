#include "sallyport/site/http_limits.hpp"

#include <algorithm>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

ipc::HttpLimits limits_of(std::uint32_t body_ms, std::uint32_t body_rate)
{
    ipc::HttpLimits limits;
    limits.body_ms = body_ms;
    limits.body_rate = body_rate;
    return limits;
}

/// How many milliseconds a client lives that sends `bytes` every `every_ms`; at most a day.
std::uint64_t life(BodyPace pace, std::uint64_t every_ms, std::uint64_t bytes)
{
    constexpr std::uint64_t kDay = 86'400'000;
    for (std::uint64_t now = 0; now < kDay; now += every_ms) {
        if (every_ms > pace.patience_ms()) return now + pace.patience_ms();
        pace.waited(every_ms, bytes);
    }
    return kDay;
}

} // namespace

TEST_CASE("Heads are bounded as configured", "[site][limits]")
{
    ipc::HttpLimits limits;
    limits.head_bytes = 1;
    limits.target_bytes = 2;
    limits.fields_max = 3;
    limits.trailer_bytes = 4;
    const http::Limits heads = head_limits(limits);
    CHECK(heads.head_bytes == 1);
    CHECK(heads.target_bytes == 2);
    CHECK(heads.fields == 3);
    CHECK(heads.trailer_bytes == 4);
}

TEST_CASE("A body that comes slower than its rate has an end, one that keeps it has none", "[site][limits]")
{
    const BodyPace pace{limits_of(30'000, 500)};
    CHECK(life(pace, 1'000, 500) == 86'400'000);      // just fast enough
    CHECK(life(pace, 29'000, 1 << 20) == 86'400'000); // in bursts
    CHECK(life(pace, 100, 1'460) == 86'400'000);
    CHECK(life(pace, 30'001, 1) == 30'000); // silence
    CHECK(life(pace, 10'000, 1) < 31'000);  // a byte now and then
    CHECK(life(pace, 100, 1) < 31'100);
    CHECK(life(pace, 1'000, 250) < 61'000); // half the rate, twice the time
    CHECK(life(pace, 1'000, 250) > 58'000);
    CHECK(life(BodyPace{limits_of(30'000, 1 << 20)}, 1, 1'049) == 86'400'000); // no crumbs are lost
    CHECK(life(BodyPace{limits_of(30'000, 1 << 20)}, 2, 2'000) < 700'000);
}

TEST_CASE("Waiting for the app costs a client nothing, and a burst earns no more than the whole patience",
          "[site][limits]")
{
    BodyPace pace{limits_of(30'000, 500)};
    CHECK(pace.reason() == Reason::body_timeout);
    pace.waited(20'000, 0);
    CHECK(pace.patience_ms() == 10'000);
    CHECK(pace.reason() == Reason::body_too_slow);
    pace.waited(0, 2'500);
    CHECK(pace.patience_ms() == 15'000);
    pace.waited(0, ~std::uint64_t{0});
    CHECK(pace.patience_ms() == 30'000);
    CHECK(pace.reason() == Reason::body_timeout);
    pace.waited(~std::uint64_t{0}, 0);
    CHECK(pace.patience_ms() == 1);
}

TEST_CASE("No setting makes the pace divide by nothing or wrap", "[site][limits]")
{
    const auto [ms, rate] = GENERATE(table<std::uint32_t, std::uint32_t>(
        {{1, 1}, {1, 0}, {0, 1}, {~0U, ~0U}, {~0U, 1}, {1, ~0U}, {3'600'000, 1 << 20}}));
    BodyPace pace{limits_of(ms, rate)};
    pace.waited(1, ~std::uint64_t{0});
    CHECK(pace.patience_ms() >= 1);
    CHECK(pace.patience_ms() <= std::max(ms, 1U));
}
