// From rows of the table to the filter that the kernel is given: pure.
#pragma once

#include <cstdint>

#include "sallyport/ipc/control.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/privsep/profiles.hpp"
#include "sallyport/sys/seccomp.hpp"

namespace sallyport::privsep {

/// From the phase `starting` on. `mode` is `enforce` or `log`. `own_id` is the process's id, for Part::own_threads.
[[nodiscard]] sys::Filter filter_of(const Profile& profile, ipc::SeccompMode mode, const Grants& grants,
                                    std::uint32_t own_id);

/// On top of that one, once the process serves: takes away what only the phase `starting` has, and allows the rest. The
/// kernel asks both, and the strictest verdict counts, so the first one need not be said, and made, again.
[[nodiscard]] sys::Filter tightening_of(const Profile& profile, ipc::SeccompMode mode);

/// What a container that holds all three processes needs, for its runtime to install: docker/seccomp.json.
[[nodiscard]] sys::Filter container_filter();

} // namespace sallyport::privsep
