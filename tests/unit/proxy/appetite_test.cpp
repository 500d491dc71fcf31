// How much one direction reads at once.
#include "proxy/appetite.hpp"

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
