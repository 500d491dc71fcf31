#include "sallyport/metrics/families.hpp"

#include <set>

#include "support/catch.hpp"

using namespace sallyport::metrics;

namespace {

std::string text_of(const Picture& picture)
{
    return exposition(families_of(picture));
}

bool has_line(const std::string& text, const std::string& line)
{
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("A histogram's buckets hold those below them, and its sum is in seconds", "[metrics]")
{
    Picture picture;
    picture.sum.shards.exchange_time.add(1);
    picture.sum.shards.exchange_time.add(3);
    picture.sum.shards.exchange_time.add(100'000);
    const std::string text = text_of(picture);
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_bucket{le=\"0.001\"} 1"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_bucket{le=\"0.002\"} 1"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_bucket{le=\"0.004\"} 2"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_bucket{le=\"1.024\"} 2"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_bucket{le=\"65.536\"} 2"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_bucket{le=\"+Inf\"} 3"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_sum 100.004000"));
    CHECK(has_line(text, "sallyport_exchange_duration_seconds_count 3"));
}

TEST_CASE("Label values are escaped", "[metrics]")
{
    Picture picture;
    picture.upstreams.push_back({.name = "a\"b\\c\nd", .addresses = {}, .state = UpstreamFacts::State::down});
    CHECK(has_line(text_of(picture), "sallyport_upstream_up{upstream=\"a\\\"b\\\\c\\nd\"} 0"));
}

TEST_CASE("An upstream that nobody has connected to is neither up nor down", "[metrics]")
{
    Picture picture;
    picture.upstreams.push_back({.name = "app", .addresses = {}});
    CHECK(text_of(picture).find("sallyport_upstream_up{") == std::string::npos);
}

TEST_CASE("Whoever has told of it, a refused certificate counts and the latest time is shown", "[metrics]")
{
    Picture picture;
    HouseFigures house{};
    picture.house = &house;
    CHECK(has_line(text_of(picture), "sallyport_last_rotation_time_seconds 0"));
    picture.sum.worker.rotations.note(true, 50'000);
    house.rotations.note(false, 60'000);
    CHECK(has_line(text_of(picture), "sallyport_rotations_total{result=\"refused\"} 1"));
    CHECK(has_line(text_of(picture), "sallyport_last_rotation_time_seconds 60"));
}

TEST_CASE("Rotations are good while nothing is refused, whatever came last", "[metrics]")
{
    Picture picture;
    HouseFigures house{};
    picture.house = &house;
    const auto is_good = [&] { return has_line(text_of(picture), "sallyport_last_rotation_good 1"); };
    CHECK(is_good());
    picture.certificates_wrong = 1;
    house.rotations.note(false, 60'000);
    CHECK_FALSE(is_good());
    picture.sum.worker.rotations.note(true, 70'000); // another certificate
    CHECK_FALSE(is_good());
    CHECK(has_line(text_of(picture), "sallyport_certificates_wrong 1"));
    picture.certificates_wrong = 0; // the old pair was put back: nothing is taken over
    CHECK(is_good());
    picture.refuses_certificates = true;
    CHECK_FALSE(is_good());
}

TEST_CASE("No family stands twice, and counters end with _total", "[metrics]")
{
    Picture picture;
    HouseFigures house{};
    picture.house = &house;
    std::set<std::string_view> names;
    for (const Family& family : families_of(picture)) {
        CAPTURE(family.name);
        CHECK(names.insert(family.name).second);
        CHECK(family.name.ends_with("_total") == (family.type == "counter"));
        CHECK(!family.help.empty());
    }
}
