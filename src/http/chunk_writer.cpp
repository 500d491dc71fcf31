#include "sallyport/http/chunk_writer.hpp"

#include <algorithm>
#include <charconv>

#include "sallyport/base/contract.hpp"

namespace sallyport::http {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

} // namespace

ChunkPrefix::ChunkPrefix(std::uint64_t size, bool first)
{
    SALLYPORT_ASSERT(size > 0); // it would end the body
    char* at = text_.data();
    if (!first) at = std::ranges::copy(kLineEnd, at).out;
    at = std::to_chars(at, text_.data() + text_.size(), size, 16).ptr;
    at = std::ranges::copy(kLineEnd, at).out;
    size_ = static_cast<std::uint8_t>(at - text_.data());
}

void append_last_chunk(std::string& out, const Fields& trailers, const NameSet* removed, bool first)
{
    if (!first) out += kLineEnd;
    out += "0\r\n";
    for (const Field& field : trailers) {
        if (removed != nullptr && removed->contains(field)) continue;
        out.append(field.name).append(": ").append(field.value).append(kLineEnd);
    }
    out += kLineEnd;
}

} // namespace sallyport::http
