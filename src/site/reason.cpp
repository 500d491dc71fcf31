#include "sallyport/site/reason.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace sallyport::site {

namespace {

using enum Reason;
using enum Side;
using log::Level;
using H2 = http::Http2Code;

constexpr std::string_view kUnavailable = "The service is not available at the moment.";
constexpr std::string_view kBadAnswer = "The service gave no valid answer.";
constexpr std::string_view kLate = "The service took too long to answer.";
constexpr std::string_view kUnsent = "The request was not sent in time.";

constexpr bool answered = true;
constexpr bool unanswered = false;

/// In the order of the enumeration.
constexpr std::array kFacts{
    ReasonFacts{none, "", 0, answered, self, Level::info, H2::no_error, ""},
    ReasonFacts{client_malformed, "client_malformed", 400, answered, client, Level::info, H2::protocol_error,
                "The request was not understood."},
    ReasonFacts{header_timeout, "header_timeout", 408, answered, client, Level::info, H2::cancel, kUnsent},
    ReasonFacts{body_timeout, "body_timeout", 408, answered, client, Level::info, H2::cancel, kUnsent},
    ReasonFacts{body_too_slow, "body_too_slow", 408, answered, client, Level::info, H2::cancel, kUnsent},
    ReasonFacts{body_too_large, "body_too_large", 413, answered, client, Level::info, H2::cancel,
                "The request's content is larger than what is accepted here."},
    ReasonFacts{no_route, "no_route", 404, answered, client, Level::info, H2::cancel, "There is nothing here."},
    ReasonFacts{misdirected, "misdirected", 421, answered, client, Level::info, H2::cancel,
                "This connection is not for that host: open another one."},
    ReasonFacts{client_left, "client_left", 499, unanswered, client, Level::info, H2::cancel, ""},
    ReasonFacts{client_stalled, "client_stalled", 499, unanswered, client, Level::info, H2::cancel, ""},
    ReasonFacts{tunnel_idle, "tunnel_idle", 408, unanswered, client, Level::info, H2::cancel, ""},
    ReasonFacts{h2_protocol, "h2_protocol", 400, unanswered, client, Level::info, H2::protocol_error, ""},
    ReasonFacts{h2_flood, "h2_flood", 429, unanswered, client, Level::info, H2::enhance_your_calm, ""},
    ReasonFacts{app_unresolved, "app_unresolved", 502, answered, upstream, Level::warn, H2::internal_error,
                kUnavailable},
    ReasonFacts{app_refused, "app_refused", 502, answered, upstream, Level::warn, H2::internal_error, kUnavailable},
    ReasonFacts{app_unreachable, "app_unreachable", 502, answered, upstream, Level::warn, H2::internal_error,
                kUnavailable},
    ReasonFacts{app_connect_timeout, "app_connect_timeout", 504, answered, upstream, Level::warn, H2::internal_error,
                kLate},
    ReasonFacts{app_timeout, "app_timeout", 504, answered, upstream, Level::warn, H2::internal_error, kLate},
    ReasonFacts{app_closed, "app_closed", 502, answered, upstream, Level::warn, H2::internal_error, kBadAnswer},
    ReasonFacts{app_reset, "app_reset", 502, answered, upstream, Level::warn, H2::internal_error, kBadAnswer},
    ReasonFacts{app_malformed, "app_malformed", 502, answered, upstream, Level::warn, H2::internal_error, kBadAnswer},
    ReasonFacts{app_truncated, "app_truncated", 502, unanswered, upstream, Level::warn, H2::internal_error, ""},
    ReasonFacts{app_stalled, "app_stalled", 504, unanswered, upstream, Level::warn, H2::internal_error, ""},
    ReasonFacts{over_limit, "over_limit", 503, answered, self, Level::warn, H2::refused_stream, kUnavailable},
    ReasonFacts{draining, "draining", 503, answered, self, Level::info, H2::refused_stream, kUnavailable},
    ReasonFacts{cut, "cut", 503, unanswered, self, Level::info, H2::cancel, ""},
    ReasonFacts{internal_error, "internal_error", 500, answered, self, Level::error, H2::internal_error,
                "Something went wrong here."},
};

consteval bool is_in_order()
{
    for (std::size_t i = 0; i < kFacts.size(); ++i)
        if (static_cast<std::size_t>(kFacts[i].reason) != i) return false;
    return kFacts.back().reason == internal_error;
}
static_assert(is_in_order());

struct StatusText {
    std::uint16_t status;
    std::string_view text;
};

/// Those that we answer with: RFC 9110 §15.4 to §15.6, RFC 6585, RFC 8470.
constexpr std::array kStatusTexts{
    StatusText{308, "Permanent Redirect"},
    StatusText{400, "Bad Request"},
    StatusText{403, "Forbidden"},
    StatusText{404, "Not Found"},
    StatusText{405, "Method Not Allowed"},
    StatusText{408, "Request Timeout"},
    StatusText{411, "Length Required"},
    StatusText{413, "Content Too Large"},
    StatusText{414, "URI Too Long"},
    StatusText{417, "Expectation Failed"},
    StatusText{421, "Misdirected Request"},
    StatusText{425, "Too Early"},
    StatusText{426, "Upgrade Required"},
    StatusText{429, "Too Many Requests"},
    StatusText{431, "Request Header Fields Too Large"},
    StatusText{500, "Internal Server Error"},
    StatusText{501, "Not Implemented"},
    StatusText{502, "Bad Gateway"},
    StatusText{503, "Service Unavailable"},
    StatusText{504, "Gateway Timeout"},
    StatusText{505, "HTTP Version Not Supported"},
};

} // namespace

const ReasonFacts& facts(Reason reason)
{
    return kFacts[static_cast<std::size_t>(reason)];
}

std::string_view status_text(std::uint16_t status)
{
    const auto known = std::ranges::find(kStatusTexts, status, &StatusText::status);
    return known == kStatusTexts.end() ? "Error" : known->text;
}

} // namespace sallyport::site
