#include "signed_text.hpp"

#include <algorithm>
#include <array>

namespace sallyport::keyholder {

namespace {

using namespace std::string_view_literals;
using Text = std::span<const std::byte>;

constexpr std::byte kSpace{0x20};
constexpr std::size_t kPadding = 64;
constexpr auto kContext = "TLS 1.3, server CertificateVerify\0"sv;

constexpr std::size_t kRandoms = 32 + 32;
constexpr std::byte kNamedCurve{3};
constexpr std::byte kUncompressed{4};

/// The groups that we negotiate under TLS 1.2; the hybrid ones exist under TLS 1.3 only.
struct Group {
    std::uint16_t id;
    std::size_t point_size;
    bool has_point_form;
};
constexpr std::array kGroups{
    Group{29, 32, false}, // x25519
    Group{23, 65, true},  // secp256r1
    Group{24, 97, true},  // secp384r1
};

std::string_view as_text(Text bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The first 64 bytes of the 1.3 form are there to be impossible as the random bytes of the 1.2 form.
bool is_padded(Text text)
{
    return text.size() >= kPadding &&
           std::ranges::all_of(text.first(kPadding), [](std::byte b) { return b == kSpace; });
}

std::expected<TextForm, std::string_view> check_tls13(Text text)
{
    const Text rest = text.subspan(kPadding);
    if (!as_text(rest).starts_with(kContext)) return std::unexpected{"not the context of a server's CertificateVerify"};
    const std::size_t hash = rest.size() - kContext.size();
    if (hash != 32 && hash != 48) return std::unexpected{"the transcript hash has no size of a TLS 1.3 cipher suite"};
    return TextForm::tls13_certificate_verify;
}

std::expected<TextForm, std::string_view> check_tls12(Text text)
{
    if (text.size() < kRandoms + 4) return std::unexpected{"shorter than any TLS text"};
    const Text parameters = text.subspan(kRandoms);
    if (parameters[0] != kNamedCurve) return std::unexpected{"not ECDHE parameters of a named curve"};
    const auto id = static_cast<std::uint16_t>(std::to_integer<unsigned>(parameters[1]) << 8U |
                                               std::to_integer<unsigned>(parameters[2]));
    const auto* group = std::ranges::find(kGroups, id, &Group::id);
    if (group == kGroups.end()) return std::unexpected{"a group that is not offered under TLS 1.2"};
    const Text point = parameters.subspan(4);
    if (std::to_integer<std::size_t>(parameters[3]) != group->point_size || point.size() != group->point_size)
        return std::unexpected{"the point has not the size of its group"};
    if (group->has_point_form && point.front() != kUncompressed)
        return std::unexpected{"the point is not in uncompressed form"};
    return TextForm::tls12_server_key_exchange;
}

} // namespace

std::expected<TextForm, std::string_view> form_of(std::span<const std::byte> text)
{
    return is_padded(text) ? check_tls13(text) : check_tls12(text);
}

} // namespace sallyport::keyholder
