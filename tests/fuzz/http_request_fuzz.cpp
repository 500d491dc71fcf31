// Requests: how they are cut does not matter, and what is forwarded is read the same way again and forwarded unchanged.
// The first byte is the size of the pieces; 0: one piece.
#include "../support/http_forward.hpp"
#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"

namespace {

using sallyport::http::test::Forwarder;

/// What is written anew may be larger: a blank after each colon, a host that was not there.
constexpr sallyport::http::Limits kLarger{
    .head_bytes = 1 << 20, .target_bytes = 1 << 20, .fields = 1000, .trailer_bytes = 1 << 20};

void feed(Forwarder& forwarder, std::string_view bytes, std::size_t piece)
{
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        forwarder.feed(bytes.substr(0, piece));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    Forwarder whole;
    whole.feed(bytes);
    Forwarder pieces;
    feed(pieces, bytes, data[0] == 0 ? bytes.size() + 1 : data[0]);
    SALLYPORT_ASSERT(whole.refused == pieces.refused);
    SALLYPORT_ASSERT(whole.complete == pieces.complete);
    if (!whole.complete) return 0;
    SALLYPORT_ASSERT(whole.head == pieces.head && whole.body == pieces.body && whole.trailers == pieces.trailers);
    SALLYPORT_ASSERT(whole.left == pieces.left);

    Forwarder again{kLarger};
    again.feed(whole.wire);
    SALLYPORT_ASSERT(again.complete && again.left.empty());
    SALLYPORT_ASSERT(again.head == whole.head && again.body == whole.body && again.trailers == whole.trailers);
    return 0;
}
