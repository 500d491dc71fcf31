#include "sallyport/base/text.hpp"

#include <array>
#include <ctime>

namespace sallyport {

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ",") + name;
    return text;
}

std::string utc_text(std::int64_t seconds_since_epoch)
{
    const std::time_t time{seconds_since_epoch};
    std::tm parts{};
    std::array<char, 32> text{};
    if (::gmtime_r(&time, &parts) == nullptr) return "unknown";
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

} // namespace sallyport
