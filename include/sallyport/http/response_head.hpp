// The app's response head, read as strictly as a client's request.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "sallyport/http/head_scanner.hpp"
#include "sallyport/http/message.hpp"

namespace sallyport::http {

/// Borrows: every view points into the head that was parsed.
struct ResponseHead {
    Version version{Version::http11};
    std::uint16_t status{0}; ///< 100 to 999
    std::string_view reason; ///< may be empty

    Fields fields;
    ConnectionOptions connection;
    Framing framing;
    /// What `Content-Length` says where no body follows: the answer to HEAD, and 304 (RFC 9110 §8.6).
    std::optional<std::uint64_t> length_without_body;
    /// The app's connection can carry another request once the body has ended.
    bool keep_alive{false};
    std::optional<std::chrono::seconds> keep_alive_timeout; ///< `Keep-Alive: timeout=…`
    std::string_view upgrade;                               ///< of a 101, and of a 426: what the app offers

    /// Another response to the same request follows. 101 does not count: after it there is no HTTP.
    [[nodiscard]] bool is_interim() const { return status < 200 && status != 101; }
};

/// Reads a head whose size `HeadScanner` has told; `asked` is the request's method. `into` is set anew, whatever it
/// held.
///
/// The framing is RFC 9112 §6.3's, in its order. A refusal is the app's failure (502), and its connection is done for:
/// with both lengths, or with a coding besides `chunked`, nobody knows where the response ends.
[[nodiscard]] std::expected<void, Refused> parse_response(std::string_view head, const Limits& limits, Method asked,
                                                          ResponseHead& into);

} // namespace sallyport::http
