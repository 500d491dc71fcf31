// The character classes of RFC 9110 and 9112, as one table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sallyport::http {

enum : std::uint8_t {
    kTokenByte = 1,  ///< tchar, RFC 9110 §5.6.2
    kValueByte = 2,  ///< HTAB, SP, VCHAR and obs-text: what may stand in a field's value, RFC 9110 §5.5
    kTargetByte = 4, ///< VCHAR but '#': browsers send |, ^, { and } in queries as they are; a fragment is never sent
    kNameByte = 8,   ///< a host name's: unreserved of RFC 3986 §2.3
};

consteval std::array<std::uint8_t, 256> classes()
{
    constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
    std::array<std::uint8_t, 256> table{};
    for (unsigned c = 0; c < table.size(); ++c) {
        const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        const bool visible = c > 0x20 && c < 0x7F;
        const char byte = static_cast<char>(c);
        unsigned bits = 0;
        if (alphanumeric || (visible && kTokenMarks.find(byte) != std::string_view::npos)) bits |= kTokenByte;
        if (visible || c >= 0x80 || c == ' ' || c == '\t') bits |= kValueByte;
        if (visible && c != '#') bits |= kTargetByte;
        if (alphanumeric || c == '-' || c == '.' || c == '_' || c == '~') bits |= kNameByte;
        table[c] = static_cast<std::uint8_t>(bits);
    }
    return table;
}
inline constexpr std::array<std::uint8_t, 256> kClasses = classes();

constexpr bool is_in(char c, std::uint8_t which)
{
    return (kClasses[static_cast<unsigned char>(c)] & which) != 0;
}

constexpr bool consists_of(std::string_view text, std::uint8_t which)
{
    for (const char c : text)
        if (!is_in(c, which)) return false;
    return !text.empty();
}

constexpr bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

constexpr bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

constexpr char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// In lower case, and '_' as '-'.
inline constexpr std::array<char, 256> kFolded = [] {
    std::array<char, 256> table{};
    for (unsigned c = 0; c < table.size(); ++c)
        table[c] = c == '_' ? '-' : lower(static_cast<char>(c));
    return table;
}();

constexpr char folded(char c)
{
    return kFolded[static_cast<unsigned char>(c)];
}

constexpr bool equal_but_for_case(std::string_view a, std::string_view b)
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

/// Without blanks (OWS) at both ends.
constexpr std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

} // namespace sallyport::http
