// Applying a profile to the calling process, and proving it afterwards: the only caller of sys's lock-down functions.
#pragma once

#include "sallyport/privsep/profiles.hpp"

namespace sallyport::privsep {

/// Raises the descriptor limit, sets no_new_privs, forbids core dumps, makes the process undumpable and drops
/// capabilities, as the profile says; then reads each of them back from the kernel and tries what must fail. What was
/// done, and which guard could not be had (a bounding set without CAP_SETPCAP), goes to the audit stream.
/// Throws StartError (os_error) naming the guard that does not hold. Thread: before a second thread exists, log's
/// included: threads inherit all of it.
void confine(const Profile& profile);

} // namespace sallyport::privsep
