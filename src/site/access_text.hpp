// The text forms of an access line, Common and Combined, as Apache's httpd defined them; and what all forms share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sallyport/site/access_log.hpp"

namespace sallyport::site {

/// The most bytes of a value, as it is written: five of them fit into a line.
inline constexpr std::size_t kShownMax = 720;

inline std::uint16_t shown_status(const Exchange& exchange)
{
    return exchange.status != 0 ? exchange.status : facts(exchange.reason).status;
}

/// Of the request's first field of this name; empty if there is none.
inline std::string_view value_of(const Exchange& exchange, http::FieldName name)
{
    const http::Field* const field = exchange.fields == nullptr ? nullptr : exchange.fields->find(name);
    return field == nullptr ? std::string_view{} : field->value;
}

/// Appends the line without its end: `192.0.2.1 - - [22/Nov/2026:10:17:19 +0000] "GET / HTTP/1.1" 200 5`. `target`: as
/// it may be shown. `time`: when the exchange ended.
void append_common(std::string& out, const Exchange& exchange, std::string_view target,
                   std::chrono::system_clock::time_point time);

/// Appends what Combined adds: ` "referer" "user agent"`.
void append_combined(std::string& out, std::string_view referer, std::string_view user_agent);

} // namespace sallyport::site
