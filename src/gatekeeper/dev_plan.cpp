#include "dev_plan.hpp"

#include <algorithm>
#include <ranges>

#include "sallyport/base/start_error.hpp"

namespace sallyport::gatekeeper {

namespace {

[[noreturn]] void refuse(const std::string& text)
{
    throw StartError{ExitCode::usage, text + "\nTry 'sallyport --help'."};
}

DevApp app_of(const std::string& word)
{
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) return {.host = {}, .target = word};
    DevApp app{.host = word.substr(0, equals), .target = word.substr(equals + 1)};
    if (app.host.empty() || app.target.empty())
        refuse("--to '" + word + "' is neither an app, such as 7766, nor a name with its app: api.localhost=7000");
    std::ranges::transform(app.host, app.host.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return app;
}

std::string name_of(const DevApp& app)
{
    return app.host.empty() ? "app" : app.host;
}

config::Bind bind_to(const std::string& host, std::uint16_t port)
{
    config::Bind bind;
    bind.text = host + ":" + std::to_string(port);
    bind.where = SocketAddress::parse(bind.text).value();
    return bind;
}

} // namespace

DevPlan dev_plan(const config::DevOrder& order)
{
    DevPlan plan;
    for (const std::string& word : order.to)
        plan.apps.push_back(app_of(word));
    const auto has_default = [&] {
        return std::ranges::any_of(plan.apps, [](const DevApp& a) { return a.host.empty(); });
    };
    if (!order.names.empty() && !has_default())
        refuse("--name is for the app of a --to without a name, and there is none");
    for (const DevApp& app : plan.apps | std::views::reverse)
        if (std::ranges::count(plan.apps, app.host, &DevApp::host) > 1)
            refuse(app.host.empty() ? "two apps for the same names: write --to NAME=" + app.target + " for one of them"
                                    : "two apps for " + app.host);

    std::vector<std::string> names;
    if (has_default()) names = {"localhost"};
    names.insert(names.end(), order.names.begin(), order.names.end());
    for (const DevApp& app : plan.apps)
        if (!app.host.empty()) names.push_back(app.host);
    for (const std::string& name : names)
        if (std::ranges::find(plan.certificates, name, [](const auto& of) { return of.front(); }) ==
            plan.certificates.end())
            plan.certificates.push_back({name});
    for (const char* address : {"127.0.0.1", "::1"})
        plan.certificates.front().emplace_back(address);
    return plan;
}

config::Config dev_config(const DevPlan& plan, const LoadWith& load, std::uint16_t port, bool has_ipv6)
{
    config::Config config = load(plan.apps.front().target);
    config::Listener& listener = config.listeners.front();
    listener.forward.clear();
    config.upstreams.clear();
    for (const DevApp& app : plan.apps) {
        config.upstreams[name_of(app)] = load(app.target).upstreams.begin()->second;
        if (app.host.empty())
            listener.forward = name_of(app);
        else
            listener.routes.push_back(
                {.hosts = {app.host}, .paths = {}, .methods = {}, .forward = name_of(app), .headers = {}});
    }
    if (config.upstreams.contains("app")) config.app.upstream = "app"; // of `-- command…`
    if (port == 0) return config;
    listener.bind = bind_to("127.0.0.1", port);
    if (!has_ipv6) return config;
    config.listeners.push_back(listener);
    config.listeners.back().bind = bind_to("[::1]", port);
    return config;
}

std::string dev_greeting(const DevPlan& plan, std::uint16_t port)
{
    const std::string suffix = port == 443 ? "" : ":" + std::to_string(port);
    std::string text;
    for (const auto& names : plan.certificates) {
        const auto own = std::ranges::find(plan.apps, names.front(), &DevApp::host);
        const auto app = own != plan.apps.end() ? own : std::ranges::find(plan.apps, std::string{}, &DevApp::host);
        text += "https://" + names.front() + suffix + " -> " + app->target + "\n";
    }
    return text;
}

} // namespace sallyport::gatekeeper
