#include "sallyport/sys/capabilities.hpp"

#include <fstream>
#include <iterator>

#include <unistd.h>

#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/identity.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

CapabilitySets sets_now()
{
    const auto sets = capability_sets();
    test::must(sets.has_value(), "the capability sets can be read");
    return *sets;
}

/// Below any default of net.ipv4.ip_unprivileged_port_start but 0; on an address of its own.
bool low_port_can_be_bound()
{
    return listen_tcp(*SocketAddress::parse("127.0.0.97:81"), false).has_value();
}

void needs_privileged_ports()
{
    INFO("this test needs net.ipv4.ip_unprivileged_port_start above 81, as outside of Docker's private networks");
    REQUIRE(collect_bind_facts().unprivileged_port_start.value_or(0) > 81);
}

} // namespace

TEST_CASE("The sets read by libcap are those of /proc", "[sys][capabilities]")
{
    std::ifstream file{"/proc/self/status"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto status = parse_status(text);
    REQUIRE(status);
    CHECK(status->capabilities == sets_now());
}

TEST_CASE("Dropping everything leaves five empty sets", "[sys][capabilities]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(drop_all_capabilities() == BoundingSet::emptied);
              MUST(sets_now() == CapabilitySets{});
              MUST(drop_all_capabilities() == BoundingSet::emptied); // again does no harm
          }) == 0);
}

TEST_CASE("Without CAP_SETPCAP the bounding set stays, and that is told", "[sys][capabilities]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(::setuid(65532) == 0); // without KEEPCAPS: permitted and effective go, the bounding set stays
              const auto before = sets_now();
              MUST(before.permitted == 0);
              MUST(before.bounding != 0);
              MUST(drop_all_capabilities() == BoundingSet::kept);
              MUST(sets_now() == CapabilitySets{.bounding = before.bounding});
          }) == 0);
}

TEST_CASE("The bounding set is emptied after a change of user too, while CAP_SETPCAP is permitted",
          "[sys][capabilities]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(become_user(65532, 65532));
              MUST(sets_now().bounding != 0);
              MUST(keep_only_net_bind_service() == BoundingSet::emptied);
              MUST(sets_now() == CapabilitySets{.permitted = kNetBindService});
          }) == 0);
}

TEST_CASE("Only the bind capability is kept, permitted and never effective", "[sys][capabilities]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(keep_only_net_bind_service() == BoundingSet::emptied);
              MUST(sets_now() == CapabilitySets{.permitted = kNetBindService});
          }) == 0);
    CHECK(test::in_child([] {
              MUST(drop_all_capabilities());
              MUST(keep_only_net_bind_service()); // it was not there, so nothing is
              MUST(sets_now() == CapabilitySets{});
          }) == 0);
}

TEST_CASE("A low port can be bound while the capability is raised, and not after", "[sys][capabilities]")
{
    test::needs_root();
    needs_privileged_ports();
    CHECK(test::in_child([] {
              MUST(become_user(65532, 65532));
              MUST(keep_only_net_bind_service());
              MUST(!low_port_can_be_bound());
              {
                  const RaisedNetBindService raise;
                  MUST(raise.raised());
                  MUST(sets_now().effective == kNetBindService);
                  MUST(low_port_can_be_bound());
              }
              MUST(sets_now().effective == 0);
              MUST(!low_port_can_be_bound());
          }) == 0);
}

TEST_CASE("What is not permitted cannot be raised", "[sys][capabilities]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              MUST(drop_all_capabilities());
              const RaisedNetBindService raise;
              MUST(!raise.raised());
          }) == 0);
}

TEST_CASE("A capability that was effective before stays so", "[sys][capabilities]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              const auto before = sets_now();
              MUST((before.effective & kNetBindService) != 0);
              MUST(RaisedNetBindService{}.raised());
              MUST(sets_now() == before);
          }) == 0);
}
