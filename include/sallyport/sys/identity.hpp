// Becoming another user for good, without losing the permitted capabilities on the way.
#pragma once

#include <sys/types.h>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// Leaves all supplementary groups, then sets the real, effective and saved group and user. The permitted capabilities
/// survive (the caller drops them next); effective and ambient do not. Afterwards it proves the three ids of each kind
/// and that neither root's user nor its group can be taken back.
/// uid and gid 0 are refused. Needs CAP_SETUID and CAP_SETGID effective. Thread: before a second thread exists.
[[nodiscard]] Result<void> become_user(uid_t uid, gid_t gid);

} // namespace sallyport::sys
