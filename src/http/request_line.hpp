// `method SP request-target SP HTTP-version` (RFC 9112 §3).
#pragma once

#include <optional>
#include <string_view>

#include "sallyport/http/request_head.hpp"

namespace sallyport::http {

/// A target's own scheme and authority, if it is in absolute-form.
struct AbsoluteForm {
    std::string_view authority;
    std::string_view default_port;
};

/// Reads the line (without its CRLF) into method, version, target and path. `absolute` is set for an absolute-form.
[[nodiscard]] std::optional<Refusal> read_request_line(std::string_view line, const Limits& limits, RequestHead& into,
                                                       std::optional<AbsoluteForm>& absolute);

/// Into method_text and method.
[[nodiscard]] std::optional<Refusal> read_method(std::string_view text, RequestHead& into);

/// origin-form, or "*" for OPTIONS (RFC 9112 §3.2, RFC 9113 §8.3.1), into target and path.
[[nodiscard]] std::optional<Refusal> read_path(std::string_view target, const Limits& limits, RequestHead& into);

/// "HTTP/1.1" or "HTTP/1.0"; why not.
[[nodiscard]] std::optional<Refusal> read_version(std::string_view text, Version& into);

} // namespace sallyport::http
