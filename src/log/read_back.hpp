// Finding the fields of a line that was written, in either format.
#pragma once

#include <string_view>

namespace sallyport::log {

/// The value of this field, a plain word; empty if there is none. What looks like a field within another's value is
/// none.
[[nodiscard]] std::string_view field_of(std::string_view line, std::string_view name);

/// Who says to have written it: "worker"; empty if it does not say.
[[nodiscard]] std::string_view process_of(std::string_view line);

/// An audit line: the last one of a chain.
[[nodiscard]] bool ends_chain(std::string_view line);

/// Of the audit stream, whether it has a seal or has lost it. Of JSON lines only: others cannot be told from any text.
[[nodiscard]] bool says_it_is_audit(std::string_view line);

} // namespace sallyport::log
