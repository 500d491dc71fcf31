// Field lines into fields: of a head and of a trailer section.
#pragma once

#include <optional>
#include <string_view>

#include "sallyport/http/fields.hpp"
#include "sallyport/http/head_scanner.hpp"

namespace sallyport::http {

/// Reads `field-line CRLF …` up to the empty line, which `lines` ends with (RFC 9112 §5), and adds them to `into`.
/// A refusal leaves `into` with what came before.
[[nodiscard]] std::optional<Refused> read_fields(std::string_view lines, std::size_t fields_max, Fields& into);

} // namespace sallyport::http
