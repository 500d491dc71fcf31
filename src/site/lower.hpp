// Letters without their case.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace sallyport::site {

constexpr char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// `known` is in lower case.
constexpr bool is_in_lower_case(std::string_view text, std::string_view known)
{
    return std::ranges::equal(text, known, {}, lower);
}

inline std::string in_lower_case(std::string_view text)
{
    std::string lowered{text};
    std::ranges::transform(lowered, lowered.begin(), lower);
    return lowered;
}

} // namespace sallyport::site
