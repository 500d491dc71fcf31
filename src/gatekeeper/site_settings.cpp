#include "site_settings.hpp"

#include <string>

namespace sallyport::gatekeeper {

namespace {

static_assert(static_cast<int>(config::ForwardedForm::rfc7239) == static_cast<int>(ipc::ForwardedForm::rfc7239));
static_assert(static_cast<int>(config::ForwardedForm::none) == static_cast<int>(ipc::ForwardedForm::none));

ipc::HeaderRules rules_of(const config::HeaderRules& rules)
{
    const auto lines_of = [](const std::vector<config::HeaderLine>& lines) {
        std::vector<ipc::HeaderLine> made;
        for (const config::HeaderLine& line : lines)
            made.push_back({line.name, line.value});
        return made;
    };
    return {.set = lines_of(rules.set), .add = lines_of(rules.add), .remove = rules.remove};
}

/// RFC 6797 §6.1.
std::string value_of(const config::Hsts& hsts)
{
    if (hsts.max_age.count() == 0) return {};
    return "max-age=" + std::to_string(hsts.max_age.count()) + (hsts.include_subdomains ? "; includeSubDomains" : "") +
           (hsts.preload ? "; preload" : "");
}

ipc::Otherwise otherwise_of(const config::Listener& listener)
{
    if (listener.redirect) return ipc::Otherwise::redirect;
    return listener.forward.empty() ? ipc::Otherwise::not_found : ipc::Otherwise::forward;
}

} // namespace

ipc::SiteSettings site_of(const config::Listener& listener)
{
    ipc::SiteSettings site{.otherwise = otherwise_of(listener),
                           .redirect_port = listener.redirect.value_or(0),
                           .forwarded = static_cast<ipc::ForwardedForm>(listener.forwarded),
                           .trusted_proxies = {},
                           .trusts_unix_sockets = false,
                           .hsts = value_of(listener.hsts),
                           .request = rules_of(listener.headers.request),
                           .response = rules_of(listener.headers.response)};
    add_trusted(listener.trusted_proxies, site.trusted_proxies, site.trusts_unix_sockets);
    return site;
}

void add_trusted(const std::vector<config::TrustedProxy>& from, std::vector<ipc::Network>& networks, bool& unix_sockets)
{
    for (const config::TrustedProxy& proxy : from) {
        if (proxy.is_unix())
            unix_sockets = true;
        else
            networks.push_back({.address = proxy.address, .prefix = proxy.prefix});
    }
}

ipc::Route route_of(const config::Route& route, std::uint32_t upstream)
{
    return {.hosts = route.hosts,
            .paths = route.paths,
            .methods = route.methods,
            .upstream = upstream,
            .request = rules_of(route.headers.request),
            .response = rules_of(route.headers.response)};
}

} // namespace sallyport::gatekeeper
