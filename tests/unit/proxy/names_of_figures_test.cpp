// The metrics know the names of failures by heart; these are where they come from.
#include "sallyport/metrics/names.hpp"
#include "sallyport/site/reason.hpp"
#include "support/catch.hpp"

using namespace sallyport;

TEST_CASE("Every reason of an exchange has its slot, in order", "[proxy][metrics]")
{
    REQUIRE(metrics::kExchangeFailures.size() == static_cast<std::size_t>(site::Reason::internal_error) + 1);
    for (std::size_t i = 0; i < metrics::kExchangeFailures.size(); ++i)
        CHECK(site::facts(static_cast<site::Reason>(i)).name == metrics::kExchangeFailures[i]);
}

TEST_CASE("A status has its class, and what was never answered none", "[proxy][metrics]")
{
    CHECK(metrics::kStatusClasses[metrics::status_slot(204)] == "2xx");
    CHECK(metrics::kStatusClasses[metrics::status_slot(503)] == "5xx");
    CHECK(metrics::kStatusClasses[metrics::status_slot(0)] == "none");
    CHECK(metrics::kStatusClasses[metrics::status_slot(999)] == "none");
}
