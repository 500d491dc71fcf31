// First bytes of a connection: a header is whole exactly from its last byte on, whatever stands behind it, and what is
// written for the same addresses is read as the same.
#include <span>
#include <string>

#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/proxy_protocol/header.hpp"
#include "sallyport/proxy_protocol/writer.hpp"

namespace {

using namespace sallyport::proxy_protocol;
using Kind = Look::Kind;

constexpr Rules kRules{Versions::any, 4096};

void check_written(const Header& header)
{
    const Client client{.source = *header.source, .destination = *header.destination};
    std::string block;
    append_v2(block, client, true);
    const auto read = look(std::as_bytes(std::span{block}), kRules);
    SALLYPORT_ASSERT(read && read->kind == Kind::whole && read->header.size == block.size());
    if (header.source->is_unix()) return; // is told as none
    SALLYPORT_ASSERT(read->header.source && read->header.source->text() == header.source->text());
    SALLYPORT_ASSERT(read->header.destination && read->header.destination->text() == header.destination->text());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = std::as_bytes(std::span{data, size});
    const auto found = look(bytes, kRules);
    if (!found) SALLYPORT_ASSERT(!found.error().empty());
    if (!found || found->kind != Kind::whole) return 0;
    const std::size_t end = found->header.size;
    SALLYPORT_ASSERT(end > 0 && end <= size && end <= kRules.size_max);
    for (std::size_t part = 0; part < end; ++part) {
        const auto before = look(bytes.first(part), kRules);
        SALLYPORT_ASSERT(before && before->kind == Kind::partial);
    }
    const auto alone = look(bytes.first(end), kRules);
    SALLYPORT_ASSERT(alone && alone->kind == Kind::whole && alone->header.size == end);
    if (found->header.source) check_written(found->header);
    return 0;
}
