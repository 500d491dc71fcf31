#include "field_lines.hpp"

#include <cstring>

#include "characters.hpp"
#include "find_first.hpp"
#include "largest_field.hpp"
#include "sallyport/base/contract.hpp"

namespace sallyport::http {

namespace {

/// The first byte at or after `at` that may not stand in a value. There is one before `end`: a CR.
const char* value_end(const char* at, const char* end)
{
    return find_first(at, end, [](auto byte) { return (byte < 0x20 && byte != 0x09) || byte == 0x7F; });
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
    // What looks at single bytes below ends at the last CRLF, whatever comes before it.
    SALLYPORT_ASSERT(lines.ends_with("\r\n"));
    const char* at = lines.data();
    const char* const end = at + lines.size();
    while (at < end - 2) {
        const char* const line = at;
        const void* const colon = std::memchr(line, ':', static_cast<std::size_t>(end - line));
        at = colon == nullptr ? line : static_cast<const char*>(colon);
        const FieldName id = field_name({line, at});
        // A known name is a token; of another one each byte is looked at.
        if (id == FieldName::other) {
            at = line;
            while (is_in(*at, kTokenByte))
                ++at;
        }
        const std::string_view name{line, at};
        if (*at != ':') return Refused{broken_name(name, at)};
        if (name.empty()) return Refused{Refusal::empty_name};
        const char* const value = ++at;
        at = value_end(at, end);
        if (*at != '\r' || at[1] != '\n') return Refused{broken_value(at)};
        if (into.size() == fields_max) return with_largest_field(Refusal::too_many_fields, lines);
        into.add({name, trimmed({value, at}), id});
        at += 2;
    }
    return std::nullopt;
}

} // namespace sallyport::http
