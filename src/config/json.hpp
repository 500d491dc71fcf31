// A tree as JSON text, indented.
#pragma once

#include <string>

#include "node.hpp"

namespace sallyport::config {

/// Scalars without quotes that are numbers, `true`, `false` are written as such, all others as strings.
[[nodiscard]] std::string write_json(const Node& node);

} // namespace sallyport::config
