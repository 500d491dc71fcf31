// What Landlock of this kernel can do (landlock(7)).
#pragma once

#include <optional>

namespace sallyport::sys {

/// 1 or more; nothing if the kernel was built without it or started without it.
[[nodiscard]] std::optional<int> landlock_abi();

} // namespace sallyport::sys
