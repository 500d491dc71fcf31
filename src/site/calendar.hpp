// Parts of a date as HTTP and access logs write them: English, fixed widths, whatever the locale.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string_view>

namespace sallyport::site {

inline std::tm utc_of(std::chrono::system_clock::time_point time)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return utc;
}

inline std::string_view weekday(const std::tm& utc)
{
    return std::string_view{"SunMonTueWedThuFriSat"}.substr(static_cast<std::size_t>(utc.tm_wday) * 3, 3);
}

inline std::string_view month(const std::tm& utc)
{
    return std::string_view{"JanFebMarAprMayJunJulAugSepOctNovDec"}.substr(static_cast<std::size_t>(utc.tm_mon) * 3, 3);
}

/// With leading zeros.
inline void put_number(char* out, int digits, int number)
{
    for (char* digit = out + digits; digit > out; number /= 10)
        *--digit = static_cast<char>('0' + number % 10);
}

/// "10:17:19"
inline void put_clock(char* out, const std::tm& utc)
{
    std::ranges::copy(std::string_view{"00:00:00"}, out);
    put_number(out, 2, utc.tm_hour);
    put_number(out + 3, 2, utc.tm_min);
    put_number(out + 6, 2, utc.tm_sec);
}

} // namespace sallyport::site
