// Text that strangers chose, made safe for a log line: no line end, no terminal control, no invalid UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::log {

/// Appends the text as the inside of a JSON string. Quotes, backslashes, control characters (C0, DEL, C1) and what
/// reorders or breaks a displayed line (U+2028, U+2029, the bidirectional controls, U+FEFF) are escaped; each byte that
/// is not UTF-8 becomes U+FFFD. After `limit` bytes of output it ends with "…".
void append_escaped(std::string& out, std::string_view text, std::size_t limit);

/// The plain format needs no quotes around it: printable ASCII without blanks, quotes, '=' and backslashes, not empty.
[[nodiscard]] bool is_bare_word(std::string_view text);

} // namespace sallyport::log
