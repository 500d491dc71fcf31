#include "gatekeeper/drain_plan.hpp"

#include <memory>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;

namespace {

const TimePoint kTold = TimePoint{} + Millis{1'000'000};

SocketAddress app(int port)
{
    return SocketAddress::parse("127.0.0.1:" + std::to_string(port)).value();
}

} // namespace

TEST_CASE("Without a delay and without apps to wait for, a drain begins with the signal", "[gatekeeper][drain]")
{
    DrainPlan plan{{.delay_ms = 0, .timeout_ms = 25'000, .apps = {}}, kTold};
    CHECK(plan.begins(kTold));
    CHECK(plan.left(kTold) == Millis{25'000});
}

TEST_CASE("A delay puts the drain off and is a part of its time", "[gatekeeper][drain]")
{
    DrainPlan plan{{.delay_ms = 5'000, .timeout_ms = 25'000, .apps = {}}, kTold};
    CHECK_FALSE(plan.begins(kTold));
    CHECK_FALSE(plan.begins(kTold + Millis{4'999}));
    CHECK(plan.due() == kTold + Millis{5'000});
    CHECK(plan.begins(kTold + Millis{5'000}));
    CHECK(plan.left(kTold + Millis{5'000}) == Millis{20'000});
}

TEST_CASE("While one of the apps listens nothing is drained, until the time is over", "[gatekeeper][drain]")
{
    const auto listens = std::make_shared<bool>(true);
    const auto look = [listens](const SocketAddress& place) { return std::optional{place == app(2) && *listens}; };
    DrainPlan plan{{.delay_ms = 1'000, .timeout_ms = 3'000, .apps = {app(1), app(2)}}, kTold, look};

    SECTION("it goes")
    {
        CHECK_FALSE(plan.begins(kTold + Millis{1'000}));
        CHECK(plan.due() == kTold + Millis{1'000} + DrainPlan::kLooksEvery);
        *listens = false;
        CHECK_FALSE(plan.begins(kTold + Millis{1'001})); // not yet looked again
        CHECK(plan.begins(plan.due()));
        CHECK(plan.left(kTold + Millis{1'200}) == Millis{1'800});
    }
    SECTION("it stays")
    {
        for (TimePoint now = plan.due(); now < kTold + Millis{3'000}; now = plan.due())
            CHECK_FALSE(plan.begins(now));
        CHECK(plan.due() == kTold + Millis{3'000});
        CHECK(plan.begins(plan.due()));
        CHECK(plan.left(plan.due()) == Millis{1});
    }
}

TEST_CASE("What cannot be seen is not waited for", "[gatekeeper][drain]")
{
    DrainPlan plan{{.delay_ms = 0, .timeout_ms = 3'000, .apps = {app(1)}}, kTold, [](const SocketAddress&) {
                       return std::optional<bool>{};
                   }};
    CHECK(plan.begins(kTold));
}
