// What exchanges leave behind in memory.
#include "proxy/exchange_buffers.hpp"

#include <memory>
#include <vector>

#include "support/catch.hpp"

using namespace sallyport::proxy;

TEST_CASE("A burst's buffers are given back to the system, all but what the next one begins with", "[proxy]")
{
    SpareBuffers spare;
    std::vector<std::unique_ptr<ExchangeBuffers>> burst;
    for (std::size_t i = 0; i < SpareBuffers::kSpareMax * 3; ++i)
        burst.push_back(spare.take());
    for (auto& buffers : burst)
        spare.give_back(std::move(buffers));
    CHECK(spare.count() == SpareBuffers::kSpareMax);
}

TEST_CASE("Buffers that have grown beyond a usual request are not kept, all others are used again", "[proxy]")
{
    SpareBuffers spare;
    auto grown = spare.take();
    grown->unread.reserve(65 * 1024);
    spare.give_back(std::move(grown));
    CHECK(spare.count() == 0);

    auto usual = spare.take();
    const ExchangeBuffers* const first = usual.get();
    spare.give_back(std::move(usual));
    CHECK(spare.take().get() == first);
}
