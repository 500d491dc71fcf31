#include "sallyport/proxy_protocol/header.hpp"

#include "block.hpp"
#include "format.hpp"
#include "line.hpp"

namespace sallyport::proxy_protocol {

namespace {

constexpr std::string_view kNotTaken = "its version is not taken here";

/// As far as they go, these are the same.
bool agree(std::string_view text, std::string_view start)
{
    return text.substr(0, start.size()) == start.substr(0, text.size());
}

} // namespace

std::expected<Look, std::string_view> look(std::span<const std::byte> bytes, const Rules& rules)
{
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (agree(text, kSignature)) {
        if (text.size() < kSignature.size()) return Look{.kind = Look::Kind::partial};
        if (rules.versions == Versions::v1) return std::unexpected{kNotTaken};
        return look_at_block(bytes, rules.size_max);
    }
    if (agree(text, kLineStart)) {
        if (text.size() < kLineStart.size()) return Look{.kind = Look::Kind::partial};
        if (rules.versions == Versions::v2) return std::unexpected{kNotTaken};
        return look_at_line(text, rules.size_max);
    }
    return Look{.kind = Look::Kind::absent};
}

} // namespace sallyport::proxy_protocol
