#include "sallyport/sys/pem_text.hpp"

#include <cstring>
#include <optional>

#include "sallyport/base/contract.hpp"

namespace sallyport::sys {

namespace {

constexpr std::string_view kBegin = "-----BEGIN";
constexpr std::string_view kBeginInBase64 = "LS0tLS1CRUdJTi";
constexpr int kBitsPerCharacter = 6;

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::optional<std::uint32_t> sextet(char c)
{
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (c == '-') c = '+';
    if (c == '_') c = '/';
    const std::size_t index = kAlphabet.find(c);
    if (index == std::string_view::npos) return std::nullopt;
    return static_cast<std::uint32_t>(index);
}

bool decode_base64(std::string_view text, SecretText& into)
{
    std::uint32_t bits{};
    int held{};
    bool padded{false};
    for (const char c : text) {
        if (is_blank(c)) continue;
        if (c == '=') {
            padded = true;
            continue;
        }
        const auto value = sextet(c);
        if (padded || !value) return false;
        bits = (bits << kBitsPerCharacter) | *value;
        held += kBitsPerCharacter;
        if (held < 8) continue;
        held -= 8;
        into.append(static_cast<char>((bits >> held) & 0xFFU));
    }
    return true;
}

void copy_with_real_line_ends(std::string_view text, SecretText& into)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view escape = text.substr(i, 2);
        if (escape == "\\n") into.append('\n');
        if (escape == "\\n" || escape == "\\r")
            ++i;
        else
            into.append(text[i]);
    }
    if (!into.view().ends_with('\n')) into.append('\n');
}

bool holds_pem(std::string_view text)
{
    return text.find(kBegin) != std::string_view::npos;
}

} // namespace

SecretText::~SecretText()
{
    ::explicit_bzero(text_.data(), text_.capacity());
}

void SecretText::append(char c)
{
    SALLYPORT_ASSERT(text_.size() < text_.capacity());
    text_.push_back(c);
}

PemValue normalise_pem(std::string_view value, SecretText& into)
{
    if (holds_pem(value)) {
        copy_with_real_line_ends(value, into);
        return PemValue::pem;
    }
    SecretText decoded{value.size()};
    if (decode_base64(value, decoded) && holds_pem(decoded.view())) {
        copy_with_real_line_ends(decoded.view(), into);
        return PemValue::pem;
    }
    while (!value.empty() && is_blank(value.front()))
        value.remove_prefix(1);
    return value.starts_with(kBeginInBase64) ? PemValue::damaged : PemValue::none;
}

} // namespace sallyport::sys
