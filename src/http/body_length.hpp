// What Content-Length and Transfer-Encoding say of the body: RFC 9112 §6, read in one way only.
#pragma once

#include <expected>

#include "sallyport/http/message.hpp"
#include "sallyport/http/refusal.hpp"

namespace sallyport::http {

/// `none` if neither is there. What two readers could take for two lengths is refused, where the RFC would let us mend
/// it too: both fields, several lengths even if they are equal, an empty list element, a transfer coding besides
/// `chunked`.
[[nodiscard]] std::expected<Framing, Refusal> body_length(const Fields& fields, Version version);

} // namespace sallyport::http
