#include "name_table.hpp"

namespace sallyport::tls {
namespace {

/// Of the C locale, and without asking for it.
char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

std::optional<std::span<char>> normal_name(std::string_view name, std::array<char, kServerNameMax>& buffer)
{
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || name.size() > buffer.size()) return std::nullopt;
    for (std::size_t i = 0; i < name.size(); ++i)
        buffer[i] = lower(name[i]);
    return std::span{buffer}.first(name.size());
}

} // namespace sallyport::tls
