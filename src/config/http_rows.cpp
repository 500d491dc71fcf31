#include "http_rows.hpp"

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLoggedMax = 64;
constexpr std::size_t kNameMost = 100;
/// Below 65,535 bytes no connection can begin (RFC 9113 §6.9.2).
constexpr Range kStreamWindows{64ULL << 10, 16ULL << 20};
constexpr Range kConnectionWindows{64ULL << 10, 256ULL << 20};

} // namespace

Rows<HttpLimits> http_limits_rows()
{
    using Http = HttpLimits;
    return {
        value<Http>("max_header_size", &Http::max_header_size, Size{{1ULL << 10, 1ULL << 20}},
                    "How large the head of a request or response may be, its first line included"),
        value<Http>("max_uri_size", &Http::max_uri_size, Size{{256, 512ULL << 10}},
                    "How long the address in a request may be"),
        value<Http>("max_header_count", &Http::max_header_count, Integer<std::uint32_t>{{10, 10'000}},
                    "How many fields a head may have"),
        value<Http>("max_trailer_size", &Http::max_trailer_size, Size{{128, 1ULL << 20}},
                    "How large the trailers behind a body may be"),
        value<Http>("max_body_size", &Http::max_body_size, Size{{1, 1ULL << 50}},
                    "How large the body of a request may be"),
        value<Http>("header_timeout", &Http::header_timeout, Duration<Millis>{1h},
                    "How long the head of a request may take, from its first byte"),
        value<Http>("body_timeout", &Http::body_timeout, Duration<Millis>{1h},
                    "How long the body of a request may stand still, or be behind min_body_rate"),
        value<Http>("min_body_rate", &Http::min_body_rate, Size{{1, 1ULL << 20}},
                    "How many bytes a second of the body of a request have to come"),
        value<Http>("keep_alive_timeout", &Http::keep_alive_timeout, Duration<Millis>{24h},
                    "How long a connection may wait for its next request"),
        value<Http>("response_timeout", &Http::response_timeout, Duration<Millis>{24h},
                    "How long the app may take until its response begins"),
        value<Http>("tunnel_idle", &Http::tunnel_idle, Duration<Millis>{7 * 24h},
                    "How long a WebSocket or another tunnel may move no byte"),
        value<Http>("close_timeout", &Http::close_timeout, Duration<Millis>{1h},
                    "How long a client may take to take the last words of a connection"),
        value<Http>("lingering_timeout", &Http::lingering_timeout, Duration<Millis>{1h},
                    "How long a client that goes on to send after the last words may pause"),
        value<Http>("lingering_time", &Http::lingering_time, Duration<Millis>{1h},
                    "How long such a client may go on to send, in all"),
        value<Http>("max_requests_per_connection", &Http::max_requests_per_connection,
                    Integer<std::uint32_t>{{1, 1'000'000'000}}, "How many requests a connection carries"),
        value<Http>("max_concurrent_streams", &Http::max_concurrent_streams, Integer<std::uint32_t>{{1, 10'000}},
                    "How many requests an HTTP/2 connection carries at once"),
    };
}

Rows<Http2Limits> http2_limits_rows()
{
    using Http2 = Http2Limits;
    return {
        value<Http2>("stream_window", &Http2::stream_window, Size{kStreamWindows},
                     "How much of one body a client or an app may send before the other side has taken it"),
        value<Http2>("connection_window", &Http2::connection_window, Size{kConnectionWindows},
                     "The same of all bodies of a client's connection together; not below stream_window"),
    };
}

Rows<AccessLog> access_log_rows()
{
    return {
        value<AccessLog>("format", &AccessLog::format,
                         Choice<AccessFormat>{{{"structured", AccessFormat::structured},
                                               {"common", AccessFormat::common},
                                               {"combined", AccessFormat::combined},
                                               {"none", AccessFormat::none}}},
                         "How the line of a request looks: structured is as log.format says, none writes no such line"),
        value<AccessLog>("headers", &AccessLog::headers, Texts{{"the name of a field", kNameMost, false}, kLoggedMax},
                         "Fields of the request to write as well; the values of secret ones are not written"),
        value<AccessLog>("redact", &AccessLog::redact,
                         Texts{{"the name of a parameter or field", kNameMost}, kLoggedMax},
                         "Parameters of addresses, and fields, that are secret beside those that are known to be"),
    };
}

} // namespace sallyport::config
