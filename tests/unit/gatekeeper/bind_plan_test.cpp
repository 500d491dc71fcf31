#include "gatekeeper/bind_plan.hpp"

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;

namespace {

config::Listener at(config::Bind bind)
{
    config::Listener listener;
    listener.bind = std::move(bind);
    return listener;
}

config::Bind any(std::uint16_t port)
{
    return {.text = ":" + std::to_string(port), .where = config::AnyAddress{port}};
}

config::Bind address(const std::string& text)
{
    return {.text = text, .where = SocketAddress::parse(text).value()};
}

config::Bind inherited(int number)
{
    return {.text = "fd:" + std::to_string(number), .where = config::InheritedFd{number}};
}

config::Bind systemd(const std::string& socket)
{
    return {.text = "systemd:" + socket, .where = config::SystemdName{socket}};
}

} // namespace

TEST_CASE("A port takes the capability path only below the sysctl and only where the capability is held",
          "[gatekeeper][bind-plan]")
{
    const auto [port, from, held, path] = GENERATE(table<std::uint16_t, std::uint16_t, bool, Path>({
        {443, 1024, true, Path::capability},
        {443, 1024, false, Path::plain},
        {443, 443, true, Path::plain},
        {443, 444, true, Path::capability},
        {443, 0, true, Path::plain},
        {1023, 1024, true, Path::capability},
        {1024, 1024, true, Path::plain},
        {8443, 1024, true, Path::plain},
    }));
    CAPTURE(port, from, held);
    const Rights rights{.net_bind_service = held, .unprivileged_from = from};
    CHECK(plan_binds({at(any(port))}, 1, rights).at(0).path == path);
    CHECK(plan_binds({at(address("10.0.0.1:" + std::to_string(port)))}, 1, rights).at(0).path == path);
    CHECK(plan_binds({at(address("[::1]:" + std::to_string(port)))}, 1, rights).at(0).path == path);
}

TEST_CASE("TCP addresses get one socket per shard, everything else one that all shards share",
          "[gatekeeper][bind-plan]")
{
    const Rights rights{.net_bind_service = true, .unprivileged_from = 1024};
    const auto [bind, count, shared, path] = GENERATE(table<config::Bind, unsigned, bool, Path>({
        {any(8443), 4, false, Path::plain},
        {address("127.0.0.1:8443"), 4, false, Path::plain},
        {address("unix:/run/x.sock"), 1, true, Path::plain},
        {address("unix:@abstract"), 1, true, Path::plain},
        {inherited(3), 1, true, Path::inherited},
        {systemd("https"), 1, true, Path::inherited},
    }));
    CAPTURE(bind.text);
    const PlannedListener planned = plan_binds({at(bind)}, 4, rights).at(0);
    CHECK(planned.count == count);
    CHECK(planned.shared == shared);
    CHECK(planned.path == path);
    CHECK(planned.bind.text == bind.text);
}

TEST_CASE("The lowest port of the plan is what the sysctl would have to be", "[gatekeeper][bind-plan]")
{
    CHECK(lowest_port(plan_binds({at(any(443)), at(address("10.0.0.1:80")), at(inherited(3))}, 1, {})) == 80);
    CHECK(lowest_port(plan_binds({at(inherited(3))}, 1, {})) == 65535);
}
