#include "sallyport/base/text.hpp"

#include "support/catch.hpp"

using namespace sallyport;

TEST_CASE("Times are written in UTC as RFC 3339 has them", "[base][text]")
{
    CHECK(utc_text(0) == "1970-01-01T00:00:00Z");
    CHECK(utc_text(1'893'456'000) == "2030-01-01T00:00:00Z");
    CHECK(utc_text(253'402'300'799) == "9999-12-31T23:59:59Z");
    CHECK(utc_text(INT64_MAX) == "unknown");
}

TEST_CASE("Names are joined by commas", "[base][text]")
{
    CHECK(joined({}) == "");
    CHECK(joined({"a"}) == "a");
    CHECK(joined({"a", "*.b"}) == "a,*.b");
}
