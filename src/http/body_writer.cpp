#include "sallyport/http/body_writer.hpp"

namespace sallyport::http {

void BodyWriter::append(std::string& out, std::span<const std::byte> bytes, bool end, const Fields* trailers)
{
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (verbatim()) {
        out.append(text);
        return;
    }
    if (!text.empty()) {
        out.append(ChunkPrefix{text.size(), first_}.text()).append(text);
        first_ = false;
    }
    static const Fields kNone;
    if (end) append_last_chunk(out, trailers != nullptr ? *trailers : kNone, removed_, first_);
}

} // namespace sallyport::http
