#include "field_lines.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "characters.hpp"
#include "largest_field.hpp"
#include "sallyport/base/contract.hpp"

namespace sallyport::http {

namespace {

/// A word with this byte in each place.
constexpr std::uint64_t eight(std::uint8_t byte)
{
    return byte * std::uint64_t{0x0101010101010101};
}

/// The high bit of each byte below 0x20 or equal to DEL. The lowest such bit is exact; those above it may be false.
constexpr std::uint64_t control_bits(std::uint64_t word)
{
    const std::uint64_t low = (word - eight(0x20)) & ~word;
    const std::uint64_t differs = word ^ eight(0x7F);
    const std::uint64_t del = (differs - eight(0x01)) & ~differs;
    return (low | del) & eight(0x80);
}

/// The first byte at or after `at` that may not stand in a value. There is one before `end`: a CR.
const char* value_end(const char* at, const char* end)
{
    for (;;) {
        while (end - at >= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, sizeof word);
            if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
            const std::uint64_t found = control_bits(word);
            if (found != 0) {
                at += std::countr_zero(found) / 8;
                break;
            }
            at += 8;
        }
        while (is_in(*at, kValueByte) && (*at == '\t' || end - at < 8))
            ++at;
        if (!is_in(*at, kValueByte)) return at;
    }
}

/// Why a name ends at this byte, which is no ':' and no part of a name.
Refusal broken_name(std::string_view name, const char* at)
{
    if (is_blank(*at)) return name.empty() ? Refusal::obs_fold : Refusal::space_before_colon;
    if (*at == '\r') return at[1] == '\n' ? Refusal::missing_colon : Refusal::bare_cr;
    return Refusal::invalid_name;
}

/// Why a value ends at this byte, which is no CRLF.
Refusal broken_value(const char* at)
{
    if (*at == '\r') return Refusal::bare_cr;
    return *at == '\n' ? Refusal::bare_lf : Refusal::control_character;
}

} // namespace

std::optional<Refused> read_fields(std::string_view lines, std::size_t fields_max, Fields& into)
{
    // The loops below end at the last CRLF, whatever comes before it.
    SALLYPORT_ASSERT(lines.ends_with("\r\n"));
    const char* at = lines.data();
    const char* const end = at + lines.size();
    while (at < end - 2) {
        const char* const line = at;
        while (is_in(*at, kTokenByte))
            ++at;
        const std::string_view name{line, at};
        if (*at != ':') return Refused{broken_name(name, at)};
        if (name.empty()) return Refused{Refusal::empty_name};
        const char* const value = ++at;
        at = value_end(at, end);
        if (*at != '\r' || at[1] != '\n') return Refused{broken_value(at)};
        if (into.size() == fields_max) return with_largest_field(Refusal::too_many_fields, lines);
        into.add(name, trimmed({value, at}));
        at += 2;
    }
    return std::nullopt;
}

} // namespace sallyport::http
