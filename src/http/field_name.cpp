#include "sallyport/http/field_name.hpp"

#include <algorithm>
#include <array>

#include "characters.hpp"

namespace sallyport::http {

namespace {

/// In the order of the enumeration.
constexpr std::array<std::string_view, kFieldNames> kTexts{
    "",
    "",
    "accept",
    "age",
    "authorization",
    "cache-control",
    "client-cert",
    "client-cert-chain",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "retry-after",
    "sec-websocket-key",
    "sec-websocket-version",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
};

constexpr std::size_t kLongest = 25;
constexpr std::size_t kSlots = 512;
static_assert(std::ranges::max(kTexts, {}, &std::string_view::size).size() == kLongest);
static_assert(std::ranges::is_sorted(kTexts));

/// Of the length and three letters, so that no two names share a slot.
constexpr std::size_t slot_of(std::string_view name, std::uint32_t seed)
{
    const auto letter = [&](std::size_t i) { return static_cast<std::uint32_t>(folded(name[i])); };
    const std::size_t size = name.size();
    const std::uint32_t key =
        static_cast<std::uint32_t>(size) << 24U | letter(0) << 16U | letter(size / 2) << 8U | letter(size - 2);
    return key * seed >> (32U - 9U);
}
static_assert(kSlots == 1U << 9U);

using Slots = std::array<FieldName, kSlots>;

/// False: two names met.
constexpr bool fill(Slots& slots, std::uint32_t seed)
{
    slots.fill(FieldName::other);
    for (std::size_t i = 2; i < kFieldNames; ++i) {
        FieldName& slot = slots[slot_of(kTexts[i], seed)];
        if (slot != FieldName::other) return false;
        slot = static_cast<FieldName>(i);
    }
    return true;
}

/// The first seed without a collision, found by the compiler.
struct Table {
    std::uint32_t seed{0x9E3779B1U};
    Slots slots{};

    consteval Table()
    {
        while (!fill(slots, seed))
            seed = seed * 747796405U + 2891336453U;
    }
};
constexpr Table kTable;

/// Letters in either case and '_' for '-' are the same here; the caller looks for underscores.
bool matches(std::string_view name, std::string_view known)
{
    for (std::size_t i = 0; i < name.size(); ++i)
        if (folded(name[i]) != known[i]) return false;
    return true;
}

} // namespace

FieldName field_name(std::string_view name)
{
    if (name.size() < 2 || name.size() > kLongest) return FieldName::other;
    const FieldName found = kTable.slots[slot_of(name, kTable.seed)];
    const std::string_view known = text(found);
    if (known.size() != name.size() || !matches(name, known)) return FieldName::other;
    return name.find('_') == std::string_view::npos ? found : FieldName::lookalike;
}

std::string_view text(FieldName name)
{
    return kTexts[static_cast<std::size_t>(name)];
}

} // namespace sallyport::http
