// Taking secrets out of the environment, so that neither /proc/PID/environ nor a child ever shows them.
#pragma once

#include <optional>
#include <string>

#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// If the variable holds PEM, as it is, with `\n` written out, or as base64 of either: its normalised text in a sealed
/// memory file. Every entry of that name is then gone from the environment, and its bytes, name and value, are zero in
/// the block that the kernel shows as /proc/self/environ. Nothing, and nothing changed, if it is unset or holds
/// something else (a path).
/// Throws StartError if it begins as base64 of PEM but is not (it is wiped all the same; the text is not repeated), or
/// if the kernel gives no memory file. Thread: before a second thread exists; the first act of the gatekeeper.
[[nodiscard]] std::optional<UniqueFd> take_pem(const std::string& name);

/// The same for a variable that is a secret whatever it holds: PEM is normalised, any other text is taken as it is.
/// Nothing if it is unset or empty.
[[nodiscard]] std::optional<UniqueFd> take_variable(const std::string& name);

} // namespace sallyport::sys
