#include "site_rows.hpp"

#include "site_kinds.hpp"

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRoutesMax = 256;
constexpr std::size_t kConditionsMax = 64;
constexpr std::size_t kLinesMax = 32;
constexpr std::size_t kTrustedMax = 256;
constexpr Seconds kTwoYears = 17'520h;

Rows<HeaderRules> header_rule_rows()
{
    return {
        value<HeaderRules>("set", &HeaderRules::set, HeaderLines{kLinesMax},
                           "Fields to send in place of all of their names", Presence::optional),
        value<HeaderRules>("add", &HeaderRules::add, HeaderLines{kLinesMax}, "Fields to send beside what there is",
                           Presence::optional),
        value<HeaderRules>("remove", &HeaderRules::remove, ListOf<FieldNameText>{{}, kLinesMax},
                           "Names of fields to leave out", Presence::optional),
    };
}

Rows<Headers> header_rows()
{
    const auto has_rules = [](HeaderRules Headers::* rules) {
        return [rules](const Headers& headers) { return headers.*rules != HeaderRules{}; };
    };
    return {
        written_if<Headers>(
            has_rules(&Headers::request),
            mapping<Headers>("request", &Headers::request, header_rule_rows(), "In what the app is sent")),
        written_if<Headers>(has_rules(&Headers::response),
                            mapping<Headers>("response", &Headers::response, header_rule_rows(),
                                             "In what the client is sent of the app's")),
    };
}

Rows<Route> route_rows()
{
    const auto has_headers = [](const Route& route) { return route.headers != Headers{}; };
    return {
        value<Route>("host", &Route::hosts, OneOrMore<HostText>{{{}, kConditionsMax}},
                     "The hosts: a.example, or *.a.example for every name with one label more", Presence::optional),
        value<Route>("path", &Route::paths, OneOrMore<PathText>{{{}, kConditionsMax}},
                     "The paths, each with all below it: /api has /api/x, not /apix", Presence::optional),
        value<Route>("methods", &Route::methods, OneOrMore<MethodText>{{{}, kConditionsMax}},
                     "The methods; GET means HEAD as well", Presence::optional),
        value<Route>("forward", &Route::forward, Text{"the name of an upstream", 63, false},
                     "The upstream to forward to; left out, it is the only one", Presence::optional),
        written_if<Route>(has_headers,
                          mapping<Route>("headers", &Route::headers, header_rows(),
                                         "What to change in heads; overrides the listener's, name by name")),
    };
}

Rows<Hsts> hsts_rows()
{
    return {
        value<Hsts>("max_age", &Hsts::max_age, Duration<Seconds>{kTwoYears},
                    "How long browsers are to come by TLS only; 8760h is a year", Presence::required),
        value<Hsts>("include_subdomains", &Hsts::include_subdomains, Boolean{},
                    "Whether that goes for subdomains, too"),
        value<Hsts>("preload", &Hsts::preload, Boolean{}, "Whether browsers may know it before the first visit"),
    };
}

} // namespace

Rows<Listener> site_rows()
{
    const auto has_headers = [](const Listener& listener) { return listener.headers != Headers{}; };
    const auto has_hsts = [](const Listener& listener) { return listener.hsts != Hsts{}; };
    const auto is_http = [](const Listener& listener) { return listener.mode == Mode::http; };
    return {
        value<Listener>(
            "redirect", &Listener::redirect, RedirectText{},
            "Where to send what no route takes: https is the same address with TLS, https:8443 on that port",
            Presence::optional),
        list<Listener>("routes", &Listener::routes, route_rows(), kRoutesMax,
                       "Requests that go elsewhere than `forward` says: the first route that fits has them"),
        written_if<Listener>(is_http,
                             value<Listener>("forwarded", &Listener::forwarded,
                                             Choice<ForwardedForm>{{{"x-forwarded", ForwardedForm::x_forwarded},
                                                                    {"rfc7239", ForwardedForm::rfc7239},
                                                                    {"both", ForwardedForm::both},
                                                                    {"none", ForwardedForm::none}}},
                                             "How the app is told of the client: X-Forwarded-For, -Proto, -Host "
                                             "and -Port; Forwarded; both; or not")),
        value<Listener>(
            "trusted_proxies", &Listener::trusted_proxies, ListOf<TrustedProxyText>{{}, kTrustedMax},
            "The networks of proxies before us whose forwarding fields are kept; unix is whoever connects to "
            "a Unix socket",
            Presence::optional),
        written_if<Listener>(has_hsts, mapping<Listener>("hsts", &Listener::hsts, hsts_rows(),
                                                         "Strict-Transport-Security, in every response")),
        written_if<Listener>(
            has_headers, mapping<Listener>("headers", &Listener::headers, header_rows(), "What to change in heads")),
    };
}

} // namespace sallyport::config
