// How much one direction reads at once.
#include "proxy/appetite.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "support/catch.hpp"

using namespace sallyport;
using proxy::Appetite;

namespace {

constexpr net::Tick kAtOnce = 1;
constexpr net::Tick kLong = 200;

} // namespace

TEST_CASE("Reads grow while the reader keeps up, and end at what the buffers hold", "[proxy]")
{
    const net::HoldBudget budget{1 << 20};
    Appetite appetite;
    CHECK(appetite.size(budget) == Appetite::kFirst);
    for (int i = 0; i < 10; ++i)
        appetite.fed(appetite.size(budget));
    CHECK(appetite.size(budget) == tls::Scratch::kCipherIn);
}

TEST_CASE("Reads that do not fill what was asked for do not ask for more", "[proxy]")
{
    const net::HoldBudget budget{1 << 20};
    Appetite appetite;
    for (int i = 0; i < 10; ++i)
        appetite.fed(Appetite::kFirst / 2 - 1);
    CHECK(appetite.size(budget) == Appetite::kFirst);
}

TEST_CASE("What a slow reader leaves to be held shrinks; a quick one's does not", "[proxy]")
{
    const net::HoldBudget budget{1 << 20};
    Appetite appetite;
    for (int i = 0; i < 10; ++i)
        appetite.held(kAtOnce);
    CHECK(appetite.size(budget) == Appetite::kFirst);
    for (int i = 0; i < 10; ++i)
        appetite.held(kLong);
    CHECK(appetite.size(budget) == Appetite::kLeast);
}

TEST_CASE("Over the budget a record is read, and as much as before once there is room again", "[proxy]")
{
    net::HoldBudget budget{1000};
    const Appetite appetite;
    {
        net::HeldBytes held{budget};
        held.append(std::vector<std::byte>(1000));
        CHECK(appetite.size(budget) == tls::Scratch::kRecordMax);
    }
    CHECK(appetite.size(budget) == Appetite::kFirst);
}

TEST_CASE("Who was slow once is trusted again after many reads, however many fit into its send buffer", "[proxy]")
{
    // 4 MiB of send buffer, a third of which is free whenever it is writable again.
    const net::HoldBudget budget{1 << 20};
    Appetite appetite;
    std::size_t most_held = 0;
    for (int wake = 0; wake < 200; ++wake) {
        std::size_t room = 4 * 1024 * 1024 / 3;
        while (room >= appetite.size(budget)) {
            const std::size_t read = appetite.size(budget);
            room -= read;
            appetite.fed(read);
        }
        if (wake > 10) most_held = std::max(most_held, appetite.size(budget));
        appetite.held(kLong);
    }
    CHECK(most_held <= 2 * Appetite::kLeast);
    for (int i = 0; i < 5 * Appetite::kRise; ++i)
        appetite.fed(appetite.size(budget));
    CHECK(appetite.size(budget) == Appetite::kMost);
}

TEST_CASE("A read of records of a few bytes each is not followed by another as long", "[proxy]")
{
    const net::HoldBudget budget{1 << 20};
    Appetite appetite;
    for (int i = 0; i < 10; ++i)
        appetite.fed(appetite.size(budget));
    appetite.fed(Appetite::kMost / 23);
    CHECK(appetite.size(budget) == Appetite::kFirst);
}
