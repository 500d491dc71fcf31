#include "routing.hpp"

#include "sallyport/site/misdirected.hpp"

namespace sallyport::proxy {

namespace {

bool is_too_large(const http::Framing& framing, std::uint64_t most)
{
    return framing.kind == http::Framing::Kind::length && framing.length > most;
}

/// A browser uses one connection for all names of its certificate, which is welcome (RFC 9113 §9.1.1); where another
/// name has another certificate it is not (RFC 9110 §15.5.20).
bool is_misdirected(const tls::TlsStream& client, std::string_view host)
{
    if (host.empty()) return false; // HTTP/1.0
    return site::may_be_misdirected(client.server_name(), host) && !client.answers_alike(host);
}

} // namespace

bool choose_route(Exchange& x)
{
    if (x.failed()) return false;
    if (is_misdirected(x.connection.client, x.request.host)) {
        x.fail(site::Reason::misdirected);
        return false;
    }
    const auto route = x.connection.site().route_for(x.request, x.shard().bench().out);
    if (!route) {
        const bool ambiguous = route.error() == site::Unrouted::ambiguous_path;
        x.fail(ambiguous ? site::Reason::client_malformed : site::Reason::no_route, site::text(route.error()));
        return false;
    }
    x.route = *route;
    if (is_too_large(x.request.framing, x.connection.http().body_bytes_max)) {
        x.fail(site::Reason::body_too_large);
        return false;
    }
    return x.route->action == site::Route::Action::forward;
}

} // namespace sallyport::proxy
