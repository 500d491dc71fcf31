// Where a head ends: found while it arrives, each byte looked at once.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "sallyport/http/refusal.hpp"

namespace sallyport::http {

struct Limits {
    std::size_t head_bytes{32 * 1024};  ///< start line, fields and the empty line
    std::size_t target_bytes{8 * 1024}; ///< the request target alone: 414 instead of 431
    std::size_t fields{100};
    std::size_t trailer_bytes{8 * 1024};
};

/// The search for a section's empty line, across any number of arrivals.
class EmptyLineSearch {
public:
    explicit EmptyLineSearch(std::size_t begin = 0) : line_{begin}, next_{begin} {}

    /// `text`: all of the section that has come, or more; the same bytes in front as at the call before, wherever they
    /// are now. The section's size with its empty line, or 0: not yet. Looks at no byte past `size_max`. Errors:
    /// bare_lf; head_too_large. The answer does not depend on how the bytes were cut.
    [[nodiscard]] std::expected<std::size_t, Refusal> find(std::string_view text, std::size_t size_max);

private:
    std::size_t line_; ///< where the line begins that has no end yet
    std::size_t next_; ///< the first byte not looked at
};

/// Finds the end of one request's or response's head.
///
/// If a whole head has come, parse it where it is; otherwise keep what has come in a buffer of the connection, append
/// what comes, and look again.
class HeadScanner {
public:
    explicit HeadScanner(const Limits& limits) : limits_{limits} {}

    /// `text`: all that has come since the head's first byte. The head's size, or 0: not yet.
    ///
    /// One CRLF in front belongs to the head (RFC 9112 §2.2): `parse_request` passes over it. What cannot become a
    /// head is refused at its first byte, a line that ends without CR at its end; the rest when it is parsed.
    [[nodiscard]] std::expected<std::size_t, Refused> look(std::string_view text);

    /// For the connection's next head.
    void restart() { *this = HeadScanner{limits_}; }

private:
    Limits limits_;
    EmptyLineSearch search_;
    bool begun_{false};
};

} // namespace sallyport::http
