#include "gatekeeper/backoff.hpp"

#include <vector>

#include "support/catch.hpp"

using sallyport::gatekeeper::Backoff;
using namespace std::chrono_literals;

TEST_CASE("A child that dies at once waits twice as long each time, five seconds at most", "[gatekeeper][backoff]")
{
    Backoff backoff;
    std::vector<Backoff::Millis> waits;
    for (int i = 0; i < 8; ++i)
        waits.push_back(backoff.after(1ms));
    CHECK(waits == std::vector<Backoff::Millis>{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms});
}

TEST_CASE("A child that lived for ten seconds starts the row of waits anew", "[gatekeeper][backoff]")
{
    Backoff backoff;
    for (int i = 0; i < 5; ++i)
        static_cast<void>(backoff.after(9'999ms));
    CHECK(backoff.after(10s) == 100ms);
    CHECK(backoff.after(1ms) == 200ms);
}
