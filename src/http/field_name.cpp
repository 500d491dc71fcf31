#include "sallyport/http/field_name.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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
    "x-forwarded-protocol",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-real-ip",
    "x-request-id",
};

constexpr std::size_t kShortest = 2;
constexpr std::size_t kLongest = 25;
constexpr std::size_t kSlots = 512;
static_assert(std::ranges::max(kTexts, {}, &std::string_view::size).size() == kLongest);
static_assert(std::ranges::is_sorted(kTexts));

/// Of the length and two letters, so that no two names share a slot.
constexpr std::size_t slot_of(std::string_view name, std::uint32_t seed)
{
    const char* const text = name.data();
    const std::size_t size = name.size();
    const auto lowered = [](char letter) { return static_cast<std::uint8_t>(letter | 0x20); };
    const std::uint32_t key =
        static_cast<std::uint32_t>(size) << 16U | unsigned{lowered(text[0])} << 8U | lowered(text[size - 2]);
    return key * seed >> (32U - 9U);
}
static_assert(kSlots == 1U << 9U);
// A look-alike has the slot of what it looks like.
static_assert(std::ranges::all_of(kTexts, [](std::string_view name) {
    return name.empty() || (name.front() != '-' && name[name.size() - 2] != '-');
}));

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

template <typename Word>
bool is_same_word(const char* name, const char* known)
{
    Word sent;
    Word ours;
    std::memcpy(&sent, name, sizeof sent);
    std::memcpy(&ours, known, sizeof ours);
    // Of what a known name consists of, letters alone have 0x40. Theirs is 0x20 to have or not to have.
    constexpr Word kLetters = static_cast<Word>(0x4040404040404040U);
    return (sent | static_cast<Word>((ours & kLetters) >> 1U)) == ours;
}

/// A word at a time; the last one may overlap the one before it.
template <typename Word>
bool are_same_words(std::string_view name, std::string_view known)
{
    const std::size_t last = name.size() - sizeof(Word);
    for (std::size_t i = 0; i < last; i += sizeof(Word))
        if (!is_same_word<Word>(name.data() + i, known.data() + i)) return false;
    return is_same_word<Word>(name.data() + last, known.data() + last);
}

/// But for the case of letters. Of one size.
bool is_known(std::string_view name, std::string_view known)
{
    if (name.size() >= sizeof(std::uint64_t)) return are_same_words<std::uint64_t>(name, known);
    if (name.size() >= sizeof(std::uint32_t)) return are_same_words<std::uint32_t>(name, known);
    return are_same_words<std::uint16_t>(name, known);
}

bool looks_like(std::string_view name, std::string_view known)
{
    return std::ranges::equal(name, known, {}, folded);
}

} // namespace

FieldName field_name(std::string_view name)
{
    if (name.size() < kShortest || name.size() > kLongest) return FieldName::other;
    const FieldName found = kTable.slots[slot_of(name, kTable.seed)];
    const std::string_view known = kTexts[static_cast<std::size_t>(found)];
    if (known.size() != name.size()) return FieldName::other;
    if (is_known(name, known)) return found;
    return looks_like(name, known) ? FieldName::lookalike : FieldName::other;
}

std::string_view text(FieldName name)
{
    return kTexts[static_cast<std::size_t>(name)];
}

} // namespace sallyport::http
