// Chunked bodies: how they are cut does not matter, and what is written is read the same way again. The first byte is
// the size of the pieces; 0: one piece.
#include <optional>
#include <string>

#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/http/chunk_writer.hpp"
#include "sallyport/http/chunked_decoder.hpp"

using namespace sallyport::http;

namespace {

struct Decoded {
    std::optional<Refusal> refused{};
    bool ended{false};
    std::size_t taken{0};
    std::string body{};
    std::string trailers{};
    std::string written{};
};

/// Takes one piece; false: no more is to come.
bool take(ChunkedDecoder& decoder, std::string_view piece, Decoded& into)
{
    while (!piece.empty()) {
        const auto step = decoder.next(piece);
        if (!step) into.refused = step.error();
        if (!step || decoder.ended()) {
            into.taken += step ? step->taken : 0;
            return false;
        }
        SALLYPORT_ASSERT(step->taken > 0 && step->body.size() <= step->taken);
        if (!step->body.empty())
            into.written.append(ChunkPrefix{step->body.size(), into.body.empty()}.text()).append(step->body);
        into.body.append(step->body);
        into.taken += step->taken;
        piece.remove_prefix(step->taken);
    }
    return true;
}

Decoded decode(std::string_view bytes, std::size_t piece, const Limits& limits = {})
{
    ChunkedDecoder decoder{limits};
    Decoded decoded;
    while (!bytes.empty() && take(decoder, bytes.substr(0, piece), decoded))
        bytes.remove_prefix(std::min(piece, bytes.size()));
    decoded.ended = decoder.ended();
    if (!decoded.ended) return decoded;
    for (const Field& field : decoder.trailers())
        decoded.trailers.append(field.name).append(":").append(field.value).append("\n");
    append_last_chunk(decoded.written, decoder.trailers(), nullptr, decoded.body.empty());
    return decoded;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    Decoded whole = decode(bytes, bytes.size() + 1);
    Decoded pieces = decode(bytes, data[0] == 0 ? 1 : data[0]);
    SALLYPORT_ASSERT(whole.refused == pieces.refused && whole.ended == pieces.ended &&
                     whole.trailers == pieces.trailers);
    if (!whole.ended) return 0;
    SALLYPORT_ASSERT(whole.taken == pieces.taken && whole.body == pieces.body);

    for (const Decoded* once : {&whole, &pieces}) {
        // Written anew, a trailer may be larger by the blank after its colon.
        const Decoded again = decode(once->written, once->written.size() + 1, {.trailer_bytes = 1 << 20});
        SALLYPORT_ASSERT(again.ended && again.taken == once->written.size());
        SALLYPORT_ASSERT(again.body == once->body && again.trailers == once->trailers);
    }
    return 0;
}
