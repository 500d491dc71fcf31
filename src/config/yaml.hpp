// YAML text to a tree and back: the one place that knows yaml-cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "mistakes.hpp"
#include "node.hpp"

namespace sallyport::config {

inline constexpr std::size_t kTextMax = std::size_t{1} << 20;

/// The one document of the text; an empty text is a null. Reports duplicate keys, explicit tags and keys that are not
/// simple texts, and goes on; a syntax error ends it: nothing.
/// Limits: `kTextMax` bytes, 10,000 nodes once aliases are followed, 32 levels.
[[nodiscard]] std::optional<Node> read_yaml(const std::string& text, const std::string& source, Mistakes& mistakes);

/// Block style, two spaces deep.
[[nodiscard]] std::string write_yaml(const Node& node);

} // namespace sallyport::config
