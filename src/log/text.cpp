#include "sallyport/log/text.hpp"

#include <algorithm>
#include <array>

namespace sallyport::log {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";    // U+2026

struct CodePoint {
    char32_t code;
    std::size_t size; ///< in bytes; 0: not UTF-8
};

// RFC 3629 §3: the lead byte tells the size; the smallest code of each size excludes overlong forms.
struct Form {
    unsigned char mask, lead;
    std::size_t size;
    char32_t smallest;
};
constexpr std::array kForms{Form{0x80, 0x00, 1, 0x0}, Form{0xE0, 0xC0, 2, 0x80}, Form{0xF0, 0xE0, 3, 0x800},
                            Form{0xF8, 0xF0, 4, 0x10000}};

bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0U) == 0x80U;
}

CodePoint decode(std::string_view text)
{
    const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte_at(0);
    const auto form = std::ranges::find_if(kForms, [&](const Form& f) { return (first & f.mask) == f.lead; });
    if (form == kForms.end() || text.size() < form->size) return {0, 0};
    auto code = static_cast<char32_t>(first & static_cast<unsigned char>(~form->mask));
    for (std::size_t i = 1; i < form->size; ++i) {
        if (!is_continuation(byte_at(i))) return {0, 0};
        code = (code << 6) | (byte_at(i) & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < form->smallest || code > 0x10FFFF || surrogate) return {0, 0};
    return {code, form->size};
}

bool must_be_escaped(char32_t code)
{
    const auto within = [&](char32_t first, char32_t last) { return code >= first && code <= last; };
    return code < 0x20 || code == '"' || code == '\\' || within(0x7F, 0x9F) || within(0x200E, 0x200F) ||
           within(0x2028, 0x202E) || within(0x2066, 0x2069) || code == 0xFEFF;
}

/// All that must be escaped lies in the basic plane.
std::string_view escape(char32_t code, std::array<char, 6>& room)
{
    switch (code) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    room = {'\\', 'u', kHex[(code >> 12) & 0xF], kHex[(code >> 8) & 0xF], kHex[(code >> 4) & 0xF], kHex[code & 0xF]};
    return {room.data(), room.size()};
}

bool is_plain_ascii(char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/// The front of the text that stands as it is.
std::string_view plain_run(std::string_view text)
{
    const auto end = std::ranges::find_if_not(text, is_plain_ascii);
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

/// One character that is not plain, as it is written; `text` loses it.
std::string_view take_special(std::string_view& text, std::array<char, 6>& room)
{
    const CodePoint point = decode(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(point.size, 1));
    text.remove_prefix(character.size());
    if (point.size == 0) return kReplacement;
    return must_be_escaped(point.code) ? escape(point.code, room) : character;
}

} // namespace

void append_escaped(std::string& out, std::string_view text, std::size_t limit)
{
    const std::size_t end = out.size() + limit;
    while (!text.empty()) {
        const std::string_view run = plain_run(text);
        text.remove_prefix(run.size());
        std::array<char, 6> room{};
        const std::string_view piece = run.empty() ? take_special(text, room) : run;
        const std::size_t left = end - out.size();
        if (piece.size() > left) {
            out += run.substr(0, left);
            out += kEllipsis;
            return;
        }
        out += piece;
    }
}

bool is_bare_word(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return is_plain_ascii(c) && c != ' ' && c != '='; });
}

} // namespace sallyport::log
