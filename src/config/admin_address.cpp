#include <string>
#include <string_view>

#include "sallyport/config/config.hpp"

namespace sallyport::config {

namespace {

constexpr std::string_view kPrefix = "unix:@sallyport-";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kHexDigits = 16;

/// FNV-1a, 64 bits: the same everywhere and for ever.
std::uint64_t hash_of(std::string_view text, std::uint64_t hash)
{
    constexpr std::uint64_t kPrime = 0x100000001b3;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    return hash;
}

std::string hex(std::uint64_t number)
{
    std::string text(kHexDigits, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4U)
        *digit = kDigits[number & 15U];
    return text;
}

} // namespace

std::optional<SocketAddress> admin_address(const Config& config)
{
    if (config.admin.bind.kind == AdminBind::Kind::none) return std::nullopt;
    if (config.admin.bind.kind == AdminBind::Kind::given) return config.admin.bind.address;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const Listener& listener : config.listeners)
        hash = hash_of("\n", hash_of(listener.bind.text, hash));
    return SocketAddress::parse(std::string{kPrefix} + hex(hash));
}

bool is_automatic(const SocketAddress& address)
{
    const std::string text = address.text();
    if (!text.starts_with(kPrefix)) return false;
    const std::string_view rest = std::string_view{text}.substr(kPrefix.size());
    return rest.size() == kHexDigits && rest.find_first_not_of(kDigits) == std::string_view::npos;
}

} // namespace sallyport::config
