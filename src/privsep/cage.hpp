// The half of a profile that the kernel enforces from outside: the Landlock domain and the system call filter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sallyport/ipc/control.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/landlock.hpp"

namespace sallyport::privsep {

/// A guard that could not be had, and what would give it.
struct Lack {
    std::string_view guard;
    std::string needs;
};

struct Cage {
    sys::Guards guards{};
    ipc::SeccompMode seccomp{ipc::SeccompMode::none};
    std::vector<Lack> lacks;
};

/// Enters what the profile and the settings ask for, and proves it. Throws StartError (os_error) if a guard that the
/// kernel has does not hold, and at level `required` if one cannot be had.
[[nodiscard]] Cage enter_cage(const Profile& profile, const ipc::SandboxSettings& sandbox, const Grants& grants);

/// "files,network,scopes", or "none".
[[nodiscard]] std::string guards_text(const sys::Guards& guards);

/// How every refusal of `confine` begins.
[[noreturn]] void refuse_to_confine(const Profile& profile, std::string_view what, const std::string& why);

} // namespace sallyport::privsep
