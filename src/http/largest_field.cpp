#include "largest_field.hpp"

#include "characters.hpp"

namespace sallyport::http {

namespace {

/// A longer name is not shown: it may be what somebody put before a colon.
constexpr std::size_t kShownMax = 64;

std::string_view shown_name(std::string_view line)
{
    const std::string_view name = line.substr(0, line.find(':'));
    return name.size() < line.size() && name.size() <= kShownMax && consists_of(name, kTokenByte) ? name : "";
}

} // namespace

Refused with_largest_field(Refusal reason, std::string_view lines)
{
    std::string_view largest;
    while (!lines.empty()) {
        const std::size_t end = lines.find("\r\n");
        const std::string_view line = lines.substr(0, end);
        if (line.size() > largest.size()) largest = line;
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    }
    return {reason, shown_name(largest), largest.size()};
}

} // namespace sallyport::http
