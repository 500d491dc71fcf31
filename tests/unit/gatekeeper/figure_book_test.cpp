#include "gatekeeper/figure_book.hpp"

#include <fcntl.h>

#include "support/catch.hpp"

using namespace sallyport;
using gatekeeper::FigureBook;

namespace {

/// What a worker makes of what goes along with ipc::Figures.
struct Worker {
    explicit Worker(const std::vector<int>& descriptors)
    {
        REQUIRE(descriptors.size() >= 3);
        for (std::size_t i = 0; i < descriptors.size(); ++i) {
            UniqueFd fd{::fcntl(descriptors[i], F_DUPFD_CLOEXEC, 0)};
            pages.push_back(std::move(sys::SharedMemory::map(std::move(fd), i == 2, 8).value()));
        }
    }
    [[nodiscard]] metrics::ShardFigures& shard() { return metrics::WorkerPage{pages[2].bytes()}.shards()[0]; }
    [[nodiscard]] metrics::Sum sum() const
    {
        metrics::Sum sum;
        for (std::size_t i = 1; i < pages.size(); ++i)
            sum.add(metrics::WorkerPage{pages[i].bytes()});
        return sum;
    }
    std::vector<sys::SharedMemory> pages;
};

} // namespace

TEST_CASE("No figure falls when workers come, overlap, crash and go", "[gatekeeper][figures]")
{
    FigureBook book;
    const auto first = book.open(1).value();
    Worker one{book.descriptors(first)};
    book.keep(first);
    one.shard().accepted.add(10);
    one.shard().ended[metrics::slot_of(metrics::End::orderly)].add(7);

    const auto second = book.open(2).value();
    Worker two{book.descriptors(second)};
    CHECK(two.sum().shards.accepted.read() == 10);
    two.shard().accepted.add(1);
    one.shard().accepted.add(1); // it drains, and still counts
    CHECK(two.sum().shards.accepted.read() == 12);
    CHECK(two.sum().open() == 5);

    book.close(first);
    CHECK(two.sum().shards.accepted.read() == 12);
    CHECK(two.sum().open() == 1); // what the first had open has crashed with it

    const auto third = book.open(1).value();
    Worker three{book.descriptors(third)};
    CHECK(three.sum().shards.accepted.read() == 12);
    CHECK(two.sum().shards.accepted.read() == 12);
    book.close(second);
    book.close(second);
    const auto fourth = book.open(1).value();
    book.close(third);
    Worker four{book.descriptors(fourth)};
    CHECK(four.sum().shards.accepted.read() == 12);
    CHECK(four.sum().shards.ended[metrics::slot_of(metrics::End::crashed)].read() == 5);
}

TEST_CASE("A worker sees what the house counts, and cannot write it", "[gatekeeper][figures]")
{
    FigureBook book;
    const Worker worker{book.descriptors(book.open(1).value())};
    book.house().draining.set(1);
    CHECK(reinterpret_cast<const metrics::HouseFigures*>(worker.pages[0].bytes().data())->draining.read() == 1);
    UniqueFd fd{::fcntl(book.descriptors(1)[0], F_DUPFD_CLOEXEC, 0)};
    CHECK_FALSE(sys::SharedMemory::map(std::move(fd), true, 8).has_value());
}
