// What people put into a variable when they mean the content of a PEM file, turned into that content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::sys {

/// Owns a secret text and wipes it. Its room is reserved once and never grows, so no copy is left behind.
class SecretText {
public:
    explicit SecretText(std::size_t capacity) { text_.reserve(capacity); }
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText();

    /// Aborts when the room is used up.
    void append(char c);
    [[nodiscard]] std::string_view view() const { return text_; }

private:
    std::string text_;
};

enum class PemValue : std::uint8_t {
    none,    ///< a path, or anything else
    damaged, ///< begins as base64 of PEM, but cannot be decoded to it: a secret all the same
    pem
};

/// Writes the normalised PEM into `into`, which has room for `value.size() + 1` characters. Accepts PEM with real or
/// written-out line ends ("\n"), and base64 (either alphabet, white space ignored) of such a text.
[[nodiscard]] PemValue normalise_pem(std::string_view value, SecretText& into);

} // namespace sallyport::sys
