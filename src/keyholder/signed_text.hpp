// What a TLS server signs, told from everything else by its form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

namespace sallyport::keyholder {

enum class TextForm : std::uint8_t {
    tls13_certificate_verify, ///< RFC 8446 §4.4.3
    tls12_server_key_exchange ///< RFC 5246 §7.4.3 with RFC 8422 §5.4: ECDHE only
};

/// The longest text of either form: TLS 1.2 with a P-384 point.
inline constexpr std::size_t kSignedTextMax = 32 + 32 + 4 + 97;

/// Errors: why it is neither. What cannot be checked: that the hash in the 1.3 form and the random bytes and the point
/// in the 1.2 form belong to a connection that exists. So a captured worker can use the keys for TLS while it lives.
[[nodiscard]] std::expected<TextForm, std::string_view> form_of(std::span<const std::byte> text);

} // namespace sallyport::keyholder
