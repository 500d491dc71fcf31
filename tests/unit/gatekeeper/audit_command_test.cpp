#include "gatekeeper/audit_command.hpp"

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using Catch::Contains;

namespace {

config::Listener listener(const std::string& text, decltype(config::Bind::where) where)
{
    config::Listener made;
    made.bind = {.text = text, .where = std::move(where)};
    return made;
}

sys::BindFacts facts(std::uint64_t permitted, std::uint16_t start)
{
    sys::BindFacts made;
    made.status.uid = 65532;
    made.status.capabilities.permitted = permitted;
    made.unprivileged_port_start = start;
    made.runtime = sys::Runtime::ecs;
    return made;
}

} // namespace

TEST_CASE("A listener that could not be bound fails with the diagnosis and the lines of the runtime",
          "[gatekeeper][audit]")
{
    const auto rows =
        judge_binds({listener(":443", config::AnyAddress{443}), listener(":8443", config::AnyAddress{8443})},
                    facts(0, 1024), "/sallyport");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].grade == audit::Grade::fail);
    CHECK(rows[0].what == "bind :443");
    CHECK_THAT(rows[0].value, Contains("bounding set"));
    CHECK_THAT(rows[0].mend, Contains("systemControls") && Contains("\"443\""));
    CHECK(rows[1].grade == audit::Grade::ok);
    CHECK(rows[1].value == "needs no privilege");
}

TEST_CASE("A listener that could be bound tells by which way", "[gatekeeper][audit]")
{
    const config::Listener https = listener(":443", config::AnyAddress{443});
    CHECK(judge_binds({https}, facts(0, 0), "s").front().value == "needs no privilege");
    CHECK(judge_binds({https}, facts(sys::kNetBindService, 1024), "s").front().value ==
          "by CAP_NET_BIND_SERVICE, which is permitted");
    CHECK(judge_binds({listener("fd:3", config::InheritedFd{3})}, facts(0, 1024), "s").front().grade ==
          audit::Grade::ok);
    CHECK(judge_binds({listener("unix:/x", *SocketAddress::parse("unix:/x"))}, facts(0, 1024), "s").front().grade ==
          audit::Grade::ok);
}
