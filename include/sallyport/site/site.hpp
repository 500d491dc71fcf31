// What one listener of `mode: http` does with requests: its routes, its redirect, its forwarding headers. Pure: no I/O,
// no clock.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/http/head_writer.hpp"
#include "sallyport/http/request_head.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/site/forwarding.hpp"
#include "sallyport/site/route.hpp"

namespace sallyport::site {

/// The way of a request:
///
///     const site::ClientFacts client = site.client_facts(peer);              // per connection
///     const auto route = site.route_for(head, scratch);                      // per request; else 404 or 400
///     if (route->action == Route::Action::redirect) …append_location…
///     edits.prepare(*route, head, client, seed);
///     http::write_request(out, head, {.edits = edits.edits()});
///     http::write_response(out, response, {.edits = route->headers.response()});
///
/// Immutable: shards share one.
class Site {
public:
    /// `listener` is of mode http. The error is a sentence for the operator: what the gatekeeper should not have sent.
    [[nodiscard]] static std::expected<std::unique_ptr<const Site>, std::string>
    build(const ipc::Listener& listener, const std::vector<ipc::Route>& routes);
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    [[nodiscard]] ClientFacts client_facts(const SocketAddress& peer) const { return {peer, trusted_.contains(peer)}; }

    /// The first route that takes the request; the pointer is never null and lives as long as this. `scratch` is used
    /// only if that depends on the path and this one has an escape or another oddity; it allocates to grow alone.
    [[nodiscard]] std::expected<const Route*, Unrouted> route_for(const http::RequestHead& head,
                                                                  std::string& scratch) const;

    [[nodiscard]] std::uint16_t redirect_port() const { return redirect_port_; }

    /// What answers of our own say beside their status: Strict-Transport-Security, or nothing.
    [[nodiscard]] std::span<const http::Line> own_answer_lines() const { return own_answer_lines_; }

private:
    Site() = default;

    /// Which route it is, and whether that depended on the path.
    struct Match {
        const Route* route;
        bool by_path;
    };
    [[nodiscard]] Match first_match(const http::RequestHead& head, std::string_view path) const;

    std::vector<Route> routes_; ///< in order; the last one may be the listener's own word for all
    TrustedProxies trusted_;
    std::uint16_t redirect_port_{443};
    std::string hsts_;
    std::vector<http::Line> own_answer_lines_;
};

} // namespace sallyport::site
