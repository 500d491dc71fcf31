// What a request's fields say of it, whatever version brought them.
#pragma once

#include <optional>

#include "request_line.hpp"

namespace sallyport::http {

/// Framing, host, connection, expectation, trailers and upgrade of a head whose version, target and fields are known.
/// `absolute`: what the target says of the host, in HTTP/2 `:authority`.
[[nodiscard]] std::optional<Refusal> read_meaning(const std::optional<AbsoluteForm>& absolute, RequestHead& head);

} // namespace sallyport::http
