// THE table: every key of the configuration, one row each. Loading, printing, messages, flags and the JSON Schema come
// from these rows; a key and its help stand nowhere else, and a default only in config.hpp.
#pragma once

#include <string_view>

#include "row.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

[[nodiscard]] const Rows<Config>& schema();
/// The same rows without their types.
[[nodiscard]] const std::vector<Key>& schema_keys();

/// The key at a path such as "listeners.tls.profile": the names of the keys, whatever lists and names lie between.
/// The path must exist.
[[nodiscard]] const Key& key_at(std::string_view path);

} // namespace sallyport::config
