#include "sallyport/site/reason.hpp"

#include <set>
#include <string>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

constexpr auto kLast = static_cast<unsigned>(Reason::internal_error);

} // namespace

TEST_CASE("Every reason but none has a name of its own, by which the log counts", "[site][reason]")
{
    std::set<std::string_view> names;
    for (unsigned i = 1; i <= kLast; ++i) {
        const ReasonFacts& row = facts(static_cast<Reason>(i));
        CHECK(static_cast<unsigned>(row.reason) == i);
        CHECK(names.insert(row.name).second);
        CHECK(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos);
    }
    CHECK(names.size() == kLast);
    CHECK(facts(Reason::none).name.empty());
}

TEST_CASE("What is answered has an error status with a text and a sentence", "[site][reason]")
{
    for (unsigned i = 1; i <= kLast; ++i) {
        const ReasonFacts& row = facts(static_cast<Reason>(i));
        CAPTURE(row.name);
        CHECK(row.status >= 400);
        CHECK(row.is_answered == !row.say.empty());
        if (row.is_answered) CHECK(status_text(row.status) != "Error");
    }
}

TEST_CASE("A reason tells whose doing it was by status and level", "[site][reason]")
{
    for (unsigned i = 1; i <= kLast; ++i) {
        const ReasonFacts& row = facts(static_cast<Reason>(i));
        CAPTURE(row.name);
        switch (row.side) {
        case Side::client:
            CHECK(row.status < 500);
            CHECK(row.level == log::Level::info);
            break;
        case Side::upstream:
            CHECK((row.status == 502 || row.status == 504));
            CHECK(row.level == log::Level::warn);
            CHECK(row.name.starts_with("app_"));
            break;
        case Side::self:
            CHECK((row.status == 500 || row.status == 503));
            break;
        }
    }
}

TEST_CASE("A request that nobody has worked on may be sent again", "[site][reason]")
{
    CHECK(facts(Reason::over_limit).h2 == http::Http2Code::refused_stream);
    CHECK(facts(Reason::draining).h2 == http::Http2Code::refused_stream);
}
