#include "gatekeeper/dev_plan.hpp"

#include "sallyport/base/start_error.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;

namespace {

using Certificates = std::vector<std::vector<std::string>>;

config::Config loaded(const std::string& to)
{
    config::Config config;
    config.listeners.emplace_back();
    config::Upstream app;
    app.address.list.push_back({.host = to, .port = 1, .address = {}});
    config.upstreams.emplace("app", app);
    return config;
}

} // namespace

TEST_CASE("Each name has a certificate, and the first one has the addresses of loopback", "[gatekeeper][dev]")
{
    CHECK(dev_plan({.to = {"7766"}}).certificates == Certificates{{"localhost", "127.0.0.1", "::1"}});
    CHECK(dev_plan({.to = {"A.Localhost=1", "7766"}, .names = {"b.localhost", "localhost", "a.localhost"}})
              .certificates == Certificates{{"localhost", "127.0.0.1", "::1"}, {"b.localhost"}, {"a.localhost"}});
    CHECK(dev_plan({.to = {"a.localhost=1"}}).certificates == Certificates{{"a.localhost", "127.0.0.1", "::1"}});
}

TEST_CASE("An app with a name is a route, one without has the rest", "[gatekeeper][dev]")
{
    const DevPlan plan = dev_plan({.to = {"api.localhost=b", "a"}});
    const config::Config config = dev_config(plan, loaded, 8443, true);
    REQUIRE(config.listeners.size() == 2);
    CHECK(config.listeners[0].bind.text == "127.0.0.1:8443");
    CHECK(config.listeners[1].bind.text == "[::1]:8443");
    for (const config::Listener& listener : config.listeners) {
        CHECK(listener.forward == "app");
        REQUIRE(listener.routes.size() == 1);
        CHECK(listener.routes[0].hosts == std::vector<std::string>{"api.localhost"});
        CHECK(listener.routes[0].forward == "api.localhost");
    }
    CHECK(config.upstreams.at("app").address.list[0].host == "a");
    CHECK(config.upstreams.at("api.localhost").address.list[0].host == "b");

    CHECK(dev_config(plan, loaded, 8443, false).listeners.size() == 1);
    CHECK(dev_config(plan, loaded, 0, true).listeners[0].bind == config::Bind{});
    CHECK(dev_config(dev_plan({.to = {"api.localhost=b"}}), loaded, 1, false).listeners[0].forward.empty());
}

TEST_CASE("The greeting says where each name is", "[gatekeeper][dev]")
{
    const DevPlan plan = dev_plan({.to = {"api.localhost=7000", "7766"}, .names = {"app.localhost"}});
    CHECK(dev_greeting(plan, 8443) == "https://localhost:8443 -> 7766\nhttps://app.localhost:8443 -> 7766\n"
                                      "https://api.localhost:8443 -> 7000\n");
    CHECK(dev_greeting(dev_plan({.to = {"1"}}), 443) == "https://localhost -> 1\n");
}
