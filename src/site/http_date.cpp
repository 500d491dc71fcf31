#include "sallyport/site/http_date.hpp"

#include <algorithm>
#include <ctime>

#include "calendar.hpp"

namespace sallyport::site {

namespace {

constexpr std::string_view kShape = "Sun, 00 Jan 0000 00:00:00 GMT";

} // namespace

HttpDate::HttpDate(std::chrono::system_clock::time_point time) : text_{}
{
    static_assert(kShape.size() == std::tuple_size_v<decltype(text_)>);
    const std::tm utc = utc_of(time);
    char* const out = text_.data();
    std::ranges::copy(kShape, out);
    std::ranges::copy(weekday(utc), out);
    put_number(out + 5, 2, utc.tm_mday);
    std::ranges::copy(month(utc), out + 8);
    put_number(out + 12, 4, utc.tm_year + 1900);
    put_clock(out + 17, utc);
}

} // namespace sallyport::site
