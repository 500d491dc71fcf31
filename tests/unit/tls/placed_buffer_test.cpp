// Where a buffer lies in its page.
#include "sallyport/tls/placed_buffer.hpp"

#include <algorithm>
#include <cstdint>

#include "sallyport/tls/scratch.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using tls::PlacedBuffer;

namespace {

std::size_t in_page(std::span<const std::byte> bytes)
{
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % PlacedBuffer::kPage;
}

} // namespace

TEST_CASE("A buffer begins where it was asked to begin, and has all of its bytes", "[tls]")
{
    for (const std::size_t wanted : {0UL, 8UL, 2048UL, 4095UL}) {
        const PlacedBuffer buffer{100'000, wanted};
        CHECK(in_page(buffer.bytes()) == wanted);
        REQUIRE(buffer.bytes().size() == 100'000);
        std::ranges::fill(buffer.bytes(), std::byte{7}); // asan looks at both ends
    }
}

TEST_CASE("What OpenSSL and the kernel copy from and to is never a few bytes behind it in a page", "[tls]")
{
    metrics::ShardFigures figures;
    tls::Scratch scratch{figures.traffic};
    // OpenSSL's record is 8 bytes behind a multiple of 16: the distance is one of 16, and so none of 1 to 15.
    CHECK(in_page(scratch.plain()) % 16 == 8);
    for (const auto bytes : {scratch.plain(), scratch.cipher_in()})
        CHECK(in_page(bytes) > 15); // the kernel's begins with its page
}
