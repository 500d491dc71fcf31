// `${VAR}` and `${VAR:-default}` in values, from the environment.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "mistakes.hpp"
#include "node.hpp"
#include "sallyport/config/load.hpp"

namespace sallyport::config {

/// The text with its variables replaced, and `$$` by `$`; or what is wrong with it. What a variable holds is not
/// expanded again.
[[nodiscard]] std::expected<std::string, std::string> expand(std::string_view text, const Environment& environment);

/// Expands every scalar of the tree but the keys. One that cannot be expanded becomes `invalid`.
void expand_all(Node& node, const Environment& environment, Mistakes& mistakes);

/// The text with every `$` doubled, so that expanding it gives it back.
[[nodiscard]] std::string escape(std::string_view text);

} // namespace sallyport::config
