#include "sallyport/sys/landlock_abi.hpp"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sallyport::sys {

std::optional<int> landlock_abi()
{
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 1 ? std::nullopt : std::optional{static_cast<int>(abi)};
}

} // namespace sallyport::sys
