#include "check_site.hpp"

#include <algorithm>
#include <array>

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 6> kOfHttp{"redirect",        "routes", "forwarded",
                                                  "trusted_proxies", "hsts",   "headers"};
constexpr std::array<std::string_view, 2> kSpoken{"h2", "http/1.1"};
/// So that a listener or a route with its rules fits into a message.
constexpr std::size_t kRulesMost = std::size_t{32} << 10;

/// `node`: of the listener or route whose `forward` it is.
void check_forward(const Node& node, const Config& config, std::string& forward, Mistakes& mistakes)
{
    std::vector<std::string_view> names;
    for (const auto& [name, upstream] : config.upstreams)
        names.push_back(name);
    const Node* written = node.find("forward");
    if (names.empty() || (written != nullptr && forward.empty() && !written->text.empty()))
        return; // reported elsewhere
    if (forward.empty() && names.size() == 1) {
        forward = names.front();
    } else if (forward.empty()) {
        mistakes.report(node.at, "'forward' is missing: name one of the upstreams " + join(names));
    } else if (!config.upstreams.contains(forward)) {
        const std::string meant = suggestion(forward, names);
        mistakes.report(place_of(node, "forward"), "there is no upstream " + quote(written->written) +
                                                       (meant.empty() ? ": there is " + join(names) : meant));
    }
}

std::size_t size_of(const HeaderRules& rules)
{
    std::size_t size = 0;
    for (const auto* lines : {&rules.set, &rules.add})
        for (const HeaderLine& line : *lines)
            size += line.name.size() + line.value.size();
    return size;
}

void check_headers(const Node& node, const Headers& headers, Mistakes& mistakes)
{
    const std::size_t size = size_of(headers.request) + size_of(headers.response);
    if (size > kRulesMost)
        mistakes.report(place_of(node, "headers"), "'headers' has " + std::to_string(size) + " bytes: at most " +
                                                       std::to_string(kRulesMost) + " are possible");
}

void check_routes(const Node& node, const Config& config, Listener& listener, Mistakes& mistakes)
{
    const Node* routes = node.find("routes");
    for (std::size_t i = 0; i < listener.routes.size(); ++i) {
        const Node& at = routes->items[i];
        Route& route = listener.routes[i];
        if (at.form != Node::Form::mapping) continue;
        const bool has_condition =
            is_given(at.find("host")) || is_given(at.find("path")) || is_given(at.find("methods"));
        if (!has_condition)
            mistakes.report(at.at,
                            "this route has no 'host', 'path' or 'methods': what every request does is said by the "
                            "listener's 'forward' or 'redirect'");
        check_forward(at, config, route.forward, mistakes);
        check_headers(at, route.headers, mistakes);
    }
}

void check_alpn(const Node& node, Listener& listener, Mistakes& mistakes)
{
    const Node* tls = node.find("tls");
    if (tls == nullptr || tls->form != Node::Form::mapping) return;
    const Node* alpn = tls->find("alpn");
    if (alpn == nullptr) listener.tls.alpn.assign(kSpoken.begin(), kSpoken.end());
    for (const std::string& protocol : listener.tls.alpn)
        if (std::ranges::find(kSpoken, protocol) == kSpoken.end())
            mistakes.report(place_of(*tls, "alpn"), "alpn " + quote(protocol) +
                                                        " is not spoken here: mode http is h2 and "
                                                        "http/1.1");
}

void check_hsts(const Node& node, const Listener& listener, Mistakes& mistakes)
{
    const Node* hsts = node.find("hsts");
    if (hsts == nullptr || listener.hsts.max_age == 0s) return;
    if (node.find("tls") == nullptr)
        mistakes.report(hsts->at, "'hsts' is for a listener with 'tls': browsers pass over it elsewhere");
    if (listener.hsts.preload && (!listener.hsts.include_subdomains || listener.hsts.max_age < 8760h))
        mistakes.report(place_of(*hsts, "preload"),
                        "'preload' is taken with include_subdomains: true and a max_age of at least 8760h only");
}

void check_is_tcp(const Node& node, Mistakes& mistakes)
{
    const Node* mode = node.find("mode");
    if (mode != nullptr && mode->text != "tcp") return; // it is no mode, which was reported
    for (const std::string_view key : kOfHttp)
        if (node.find(key) != nullptr)
            mistakes.report(place_of(node, key), quote(key) + " is of mode http: add 'mode: http', or leave it out");
}

} // namespace

void check_site(const Node& node, const Config& config, Listener& listener, Mistakes& mistakes)
{
    const Node* redirect = node.find("redirect");
    const Node* forward = node.find("forward");
    if (listener.mode == Mode::tcp) {
        check_forward(node, config, listener.forward, mistakes);
        check_is_tcp(node, mistakes);
        return;
    }
    if (forward != nullptr || (redirect == nullptr && node.find("routes") == nullptr))
        check_forward(node, config, listener.forward, mistakes);
    if (redirect != nullptr && forward != nullptr)
        mistakes.report(redirect->at, "'redirect' contradicts 'forward': give one of the two");
    if (redirect != nullptr && node.find("tls") != nullptr)
        mistakes.report(redirect->at, "'redirect' contradicts 'tls': who comes here has come by https");
    check_routes(node, config, listener, mistakes);
    check_headers(node, listener.headers, mistakes);
    check_alpn(node, listener, mistakes);
    check_hsts(node, listener, mistakes);
}

} // namespace sallyport::config
