// The one vocabulary for "it may not work": what went wrong, whose doing it was, and while doing what.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <system_error>

namespace sallyport {

/// What went wrong. The names appear in the log and later in metrics: append, never rename.
enum class Fault : std::uint8_t {
    timeout,
    refused,
    reset,
    truncated,
    malformed,
    forbidden,
    no_route,
    over_limit,
    aborted,
    internal
};

/// Whose doing it was: decides the log level, and who gets paged.
enum class Side : std::uint8_t { client, upstream, self };

/// A failure that belongs to normal operation. Cheap to copy; never allocates.
struct Error {
    Fault fault;
    Side side;
    std::string_view doing;  ///< static text, a gerund: "reading the client hello"
    std::error_code cause{}; ///< the kernel's own code, where there was one
};

template <typename T>
using Result = std::expected<T, Error>;

/// The short way to leave: `return fail(Fault::refused, Side::upstream, "connecting to the app", last_errno());`
[[nodiscard]] inline std::unexpected<Error> fail(Fault fault, Side side, std::string_view doing,
                                                 std::error_code cause = {})
{
    return std::unexpected{Error{fault, side, doing, cause}};
}

/// A failed system call of our own: `Fault::internal`, `Side::self`, with errno as its cause.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view doing);

[[nodiscard]] std::error_code last_errno();
[[nodiscard]] std::string_view name(Fault fault);
[[nodiscard]] std::string_view name(Side side);

} // namespace sallyport
