// Which directories the keyholder must be able to read for as long as it lives, so that it can be kept to them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "key_store.hpp"

namespace sallyport::keyholder {

/// For each file of each source: the directory that it lies in and, for every symbolic link on the way (Kubernetes'
/// `..data`, certbot's `live/`), the directory that the link leads into: what takes the old file's place tomorrow lies
/// beside it. "/" is never among them: a file there is named itself.
[[nodiscard]] std::vector<std::string> places_of(std::span<const Source> sources);

/// The same for one path.
[[nodiscard]] std::vector<std::string> places_of(const std::string& path);

} // namespace sallyport::keyholder
