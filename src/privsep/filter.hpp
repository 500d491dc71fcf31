// From rows of the table to the filter that the kernel is given: pure.
#pragma once

#include <cstdint>

#include "sallyport/ipc/control.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/privsep/profiles.hpp"
#include "sallyport/sys/seccomp.hpp"

namespace sallyport::privsep {

/// `mode` is `enforce` or `log`. `own_id` is the process's id, for Part::own_threads.
[[nodiscard]] sys::Filter filter_of(const Profile& profile, Phase phase, ipc::SeccompMode mode, const Grants& grants,
                                    std::uint32_t own_id);

/// What a container that holds all three processes needs, for its runtime to install: docker/seccomp.json.
[[nodiscard]] sys::Filter container_filter();

} // namespace sallyport::privsep
