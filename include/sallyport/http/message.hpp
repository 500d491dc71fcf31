// What requests and responses have in common.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sallyport/http/fields.hpp"

namespace sallyport::http {

enum class Version : std::uint8_t { http10, http11, http2 };

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, trace, connect, other };

/// Doing it twice is doing it once (RFC 9110 §9.2.2).
[[nodiscard]] bool is_idempotent(Method method);

/// How long the body is, and how it says so (RFC 9112 §6.3).
struct Framing {
    enum class Kind : std::uint8_t {
        none,       ///< no body
        length,     ///< `length` bytes, 0 included
        chunked,    ///< as the chunks say, or HTTP/2's frames
        until_close ///< a response's alone
    };

    Kind kind{Kind::none};
    std::uint64_t length{0};

    bool operator==(const Framing&) const = default;
};

/// What `Connection` says (RFC 9110 §7.6.1).
struct ConnectionOptions {
    bool close{false};
    bool keep_alive{false};
    bool upgrade{false};
    FieldSet nominated{};                             ///< known names that it removes; never one of kEndToEnd
    std::vector<std::string_view> nominated_others{}; ///< Borrows: the head.

    /// It removes this field.
    [[nodiscard]] bool removes(const Field& field) const;

    void clear()
    {
        close = keep_alive = upgrade = false;
        nominated = {};
        nominated_others.clear();
    }
};

} // namespace sallyport::http
