// Reads `Connection` (RFC 9110 §7.6.1).
#pragma once

#include <optional>

#include "sallyport/http/message.hpp"
#include "sallyport/http/refusal.hpp"

namespace sallyport::http {

/// Each of them is compared with each field.
inline constexpr std::size_t kConnectionOptionsMax = 32;

/// Sets `into` anew. Errors: too_many_connection_options.
[[nodiscard]] std::optional<Refusal> read_connection(const Fields& fields, ConnectionOptions& into);

/// The connection stays open after this message (RFC 9112 §9.3).
[[nodiscard]] bool persists(Version version, const ConnectionOptions& options);

} // namespace sallyport::http
