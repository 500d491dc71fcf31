// Which build this is. The three executables ship together and refuse to talk to another build.
#pragma once

#include <string_view>

namespace sallyport {

[[nodiscard]] std::string_view version();

/// The version and the source revision at configure time; equal in the three executables of one build.
[[nodiscard]] std::string_view build_id();

} // namespace sallyport
