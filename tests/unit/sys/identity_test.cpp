#include "sallyport/sys/identity.hpp"

#include <grp.h>
#include <unistd.h>

#include "sallyport/sys/capabilities.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::sys;

TEST_CASE("Root becomes another user for good, without its groups", "[sys][identity]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              const gid_t group{4};
              MUST(::setgroups(1, &group) == 0);
              MUST(become_user(65531, 65532));
              MUST(::getuid() == 65531 && ::geteuid() == 65531);
              MUST(::getgid() == 65532 && ::getegid() == 65532);
              MUST(::getgroups(0, nullptr) == 0);
              MUST(::setuid(0) != 0);
              MUST(::setgid(0) != 0);
          }) == 0);
}

TEST_CASE("The permitted capabilities survive the change, the effective ones do not", "[sys][identity]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              const auto before = capability_sets();
              MUST(become_user(65532, 65532));
              const auto after = capability_sets();
              MUST(after->permitted == before->permitted);
              MUST((after->permitted & kNetBindService) != 0);
              MUST(after->effective == 0);
          }) == 0);
}

TEST_CASE("Becoming root is refused", "[sys][identity]")
{
    CHECK(become_user(0, 65532).error().fault == Fault::forbidden);
    CHECK(become_user(65532, 0).error().fault == Fault::forbidden);
}

// The thread sanitizer has a thread of its own that keeps its capabilities, and the C library aborts a process whose
// threads disagree about their user.
#ifndef __SANITIZE_THREAD__
TEST_CASE("Without the capability to change users it fails, and says so", "[sys][identity]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(drop_all_capabilities());
              const auto refused = become_user(65532, 65532);
              MUST(!refused);
              MUST(refused.error().cause == std::errc::operation_not_permitted);
          }) == 0);
}
#endif
