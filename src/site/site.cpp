#include "sallyport/site/site.hpp"

#include <algorithm>
#include <iterator>

#include "lower.hpp"

namespace sallyport::site {

namespace {

constexpr std::string_view kHsts = "Strict-Transport-Security";

/// What makes the loosest reading of a path another one than the strictest.
bool is_odd(std::string_view path)
{
    char before = '\0';
    for (const char c : path) {
        if (c == '?') break;
        if (c == '%' || c == '\\' || c == ';' || (before == '/' && (c == '/' || c == '.'))) return true;
        before = c;
    }
    return false;
}

/// RFC 9112 §3.2.1: a target without a path asks for "/".
std::string_view path_of(const http::RequestHead& head)
{
    return head.path.empty() || head.path.starts_with('?') ? std::string_view{"/"} : head.path;
}

bool is_host_of(const Route& route, std::string_view host)
{
    return route.hosts.empty() || std::ranges::any_of(route.hosts, [&](const auto& one) { return one.matches(host); });
}

bool are_lawful(const ipc::HeaderRules& rules)
{
    const auto is_line = [](const ipc::HeaderLine& line) {
        return http::is_token(line.name) && http::is_field_value(line.value);
    };
    return std::ranges::all_of(rules.set, is_line) && std::ranges::all_of(rules.add, is_line) &&
           std::ranges::all_of(rules.remove, http::is_token);
}

Route route_of(const ipc::Route& settings)
{
    Route route{.upstream = settings.upstream, .hosts = {}, .paths = {}, .methods = {}, .headers = {}};
    for (const std::string& host : settings.hosts)
        route.hosts.emplace_back(host);
    for (const std::string& path : settings.paths)
        route.paths.push_back(in_lower_case(path));
    route.methods = MethodSet{settings.methods};
    return route;
}

} // namespace

std::expected<std::unique_ptr<const Site>, std::string> Site::build(const ipc::Listener& listener,
                                                                    const std::vector<ipc::Route>& routes)
{
    const ipc::SiteSettings& settings = listener.site;
    bool lawful = are_lawful(settings.request) && are_lawful(settings.response) && http::is_field_value(settings.hsts);
    for (const ipc::Route& route : routes)
        lawful = lawful && are_lawful(route.request) && are_lawful(route.response);
    if (!lawful) return std::unexpected{"listener " + listener.bind + ": a header rule is not lawful"};

    std::unique_ptr<Site> site{new Site};
    site->trusted_ = TrustedProxies{settings.trusted_proxies, settings.trusts_unix_sockets};
    site->redirect_port_ = settings.redirect_port;
    site->hsts_ = settings.hsts;
    if (!settings.hsts.empty() && !listener.is_plaintext()) site->own_answer_lines_.push_back({kHsts, site->hsts_});

    std::ranges::transform(routes, std::back_inserter(site->routes_), route_of);
    if (settings.otherwise != ipc::Otherwise::not_found) {
        Route last;
        last.action = settings.otherwise == ipc::Otherwise::redirect ? Route::Action::redirect : Route::Action::forward;
        last.upstream = listener.upstream;
        site->routes_.push_back(std::move(last));
    }
    // Where they are now they stay: what is prepared is pointed into.
    const ipc::HeaderRules none;
    for (std::size_t i = 0; i < site->routes_.size(); ++i)
        site->routes_[i].headers.prepare(settings, i < routes.size() ? routes[i].request : none,
                                         i < routes.size() ? routes[i].response : none, !listener.is_plaintext());
    return site;
}

std::expected<const Route*, Unrouted> Site::route_for(const http::RequestHead& head, std::string& scratch) const
{
    const std::string_view path = path_of(head);
    const Match strict = first_match(head, path);
    if (strict.by_path && is_odd(path)) {
        const bool is_clear = read_loosely(path, scratch) && first_match(head, scratch).route == strict.route;
        if (!is_clear) return std::unexpected{Unrouted::ambiguous_path};
    }
    if (strict.route == nullptr) return std::unexpected{Unrouted::no_route};
    return strict.route;
}

Site::Match Site::first_match(const http::RequestHead& head, std::string_view path) const
{
    bool by_path = false;
    for (const Route& route : routes_) {
        if (!is_host_of(route, head.host) || !route.methods.contains(head)) continue;
        if (route.paths.empty()) return {&route, by_path};
        by_path = true;
        if (std::ranges::any_of(route.paths, [&](const auto& prefix) { return is_below(path, prefix); }))
            return {&route, by_path};
    }
    return {nullptr, by_path};
}

} // namespace sallyport::site
