#include "sallyport/sys/identity.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace sallyport::sys {

namespace {

constexpr uid_t kRoot = 0;
constexpr auto kUnchanged = static_cast<uid_t>(-1);

Result<void> leave_groups()
{
    // Asked first: a rootless user namespace forbids setgroups(2) even where there is nothing to leave.
    if (::getgroups(0, nullptr) == 0) return {};
    if (::setgroups(0, nullptr) != 0) return fail_errno("leaving the supplementary groups");
    return {};
}

Result<void> change_ids(uid_t uid, gid_t gid)
{
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return fail_errno("keeping capabilities over a change of user");
    if (::setresgid(gid, gid, gid) != 0) return fail_errno("changing the group");
    if (::setresuid(uid, uid, uid) != 0) return fail_errno("changing the user");
    if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return fail_errno("keeping capabilities over a change of user");
    return {};
}

bool all_ids_are(uid_t uid, gid_t gid)
{
    uid_t real_uid{}, effective_uid{}, saved_uid{};
    gid_t real_gid{}, effective_gid{}, saved_gid{};
    return ::getresuid(&real_uid, &effective_uid, &saved_uid) == 0 &&
           ::getresgid(&real_gid, &effective_gid, &saved_gid) == 0 && real_uid == uid && effective_uid == uid &&
           saved_uid == uid && real_gid == gid && effective_gid == gid && saved_gid == gid;
}

bool root_is_out_of_reach()
{
    return ::setresuid(kUnchanged, kRoot, kUnchanged) != 0 && ::setresgid(kUnchanged, kRoot, kUnchanged) != 0 &&
           ::getgroups(0, nullptr) == 0;
}

} // namespace

Result<void> become_user(uid_t uid, gid_t gid)
{
    if (uid == kRoot || gid == kRoot) return fail(Fault::forbidden, Side::self, "becoming root");
    if (auto left = leave_groups(); !left) return left;
    if (auto changed = change_ids(uid, gid); !changed) return changed;
    if (!all_ids_are(uid, gid)) return fail(Fault::internal, Side::self, "proving the change of user");
    if (!root_is_out_of_reach()) return fail(Fault::internal, Side::self, "proving that root is out of reach");
    return {};
}

} // namespace sallyport::sys
