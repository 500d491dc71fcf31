#include "sallyport/metrics/figures.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::metrics;

namespace {

/// A page as the gatekeeper makes it: zeros.
struct Page {
    explicit Page(std::size_t shards) : slots(worker_page_size(shards) / sizeof(std::uint64_t)) {}
    std::vector<std::uint64_t> slots;
    [[nodiscard]] WorkerPage view() { return WorkerPage{std::as_writable_bytes(std::span{slots})}; }
};

} // namespace

TEST_CASE("A page has room for each shard's figures, and too small a one for none", "[metrics]")
{
    Page page{3};
    CHECK(page.view().shards().size() == 3);
    CHECK(WorkerPage{std::as_writable_bytes(std::span{page.slots}.first(1))}.shards().empty());
}

TEST_CASE("The shards of all workers are added up", "[metrics]")
{
    Page one{2};
    Page two{1};
    one.view().shards()[0].accepted.add(3);
    one.view().shards()[1].accepted.add(4);
    two.view().shards()[0].accepted.add(5);
    one.view().shards()[1].exchange_time.add(7);
    two.view().shards()[0].exchange_time.add(7);
    Sum sum;
    sum.add(one.view());
    sum.add(two.view());
    CHECK(sum.shards.accepted.read() == 12);
    CHECK(sum.shards.exchange_time.milliseconds.read() == 14);
    CHECK(sum.shards.exchange_time.buckets[3].read() == 2);
}

TEST_CASE("Of rotations the counts are added, and the latest time is taken", "[metrics]")
{
    Page one{1};
    Page two{1};
    one.view().worker().rotations.note(true, 100);
    two.view().worker().rotations.note(true, 90);
    two.view().worker().rotations.note(false, 110);
    Sum sum;
    sum.add(one.view());
    sum.add(two.view());
    CHECK(sum.worker.rotations.taken.read() == 2);
    CHECK(sum.worker.rotations.taken_at.read() == 100);
    CHECK(sum.worker.rotations.refused.read() == 1);
    CHECK(sum.worker.rotations.refused_at.read() == 110);
}

TEST_CASE("What a dead worker had open ends as crashed, once", "[metrics]")
{
    Page page{2};
    page.view().shards()[0].accepted.add(5);
    page.view().shards()[0].ended[slot_of(End::orderly)].add(2);
    page.view().shards()[1].accepted.add(1);
    Sum before;
    before.add(page.view());
    CHECK(before.open() == 4);
    settle(page.view());
    settle(page.view());
    Sum after;
    after.add(page.view());
    CHECK(after.open() == 0);
    CHECK(after.shards.ended[slot_of(End::crashed)].read() == 4);
}

TEST_CASE("Ends that are read before their beginnings leave nothing open", "[metrics]")
{
    Page page{1};
    page.view().shards()[0].ended[slot_of(End::cut)].add(1);
    Sum sum;
    sum.add(page.view());
    CHECK(sum.open() == 0);
}

TEST_CASE("A time is in the first bucket that it does not exceed", "[metrics]")
{
    const auto [ms, bucket] = GENERATE(table<std::uint64_t, std::size_t>({
        {0, 0},
        {1, 0},
        {2, 1},
        {3, 2},
        {4, 2},
        {5, 3},
        {1024, 10},
        {1025, 11},
        {65'536, 16},
        {65'537, 17},
        {~0ULL, 17},
    }));
    CAPTURE(ms);
    Histogram histogram{};
    histogram.add(ms);
    CHECK(histogram.buckets.at(bucket).read() == 1);
}

TEST_CASE("Every agreement has a slot of its own, and what nobody knows the last one of its kind", "[metrics]")
{
    for (std::size_t slot = 0; slot < kHandshakes; ++slot)
        CHECK(slot_of(agreement_at(slot)) == slot);
    const Agreement other = agreement_at(slot_of({"TLSv1.3", "TLS_NEW", "x448", true}));
    CHECK(other.cipher == "other");
    CHECK(other.group == "other");
    CHECK(other.resumed);
}

TEST_CASE("An end is one of ours, or a side with its fault", "[metrics]")
{
    CHECK(end_side(slot_of(End::cut)).empty());
    CHECK(end_what(slot_of(End::crashed)) == "crashed");
    const std::size_t slot = slot_of(Error{Fault::internal, Side::self, "testing"});
    CHECK(slot == kEnds - 1);
    CHECK(end_side(slot) == "self");
    CHECK(end_what(slot) == "internal");
}
