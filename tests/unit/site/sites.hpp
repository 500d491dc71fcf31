// How the tests of this module make requests and sites.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/http/request_head.hpp"
#include "sallyport/site/site.hpp"

namespace sallyport::site {

/// A parsed request. Owns its text: the head points into it.
class Request {
public:
    /// `fields`: whole lines, each ending in CRLF; with `Host` if there is to be one.
    Request(const std::string& start, const std::string& fields) : text_{start + "\r\n" + fields + "\r\n"}
    {
        if (!http::parse_request(text_, {}, head_)) throw std::runtime_error{"not a request: " + text_};
    }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    [[nodiscard]] const http::RequestHead& head() const { return head_; }

private:
    std::string text_;
    http::RequestHead head_;
};

/// Of mode http, with TLS, forwarding what no route takes to upstream 0.
inline ipc::Listener listener()
{
    ipc::Listener listener;
    listener.bind = ":443";
    listener.mode = ipc::Mode::http;
    listener.tls.certificates = {0};
    listener.site.otherwise = ipc::Otherwise::forward;
    listener.site.redirect_port = 443;
    return listener;
}

inline std::unique_ptr<const Site> built(const ipc::Listener& from, const std::vector<ipc::Route>& routes = {})
{
    auto site = Site::build(from, routes);
    if (!site) throw std::runtime_error{site.error()};
    return std::move(*site);
}

/// Upstreams 1, 2 … in their order.
inline std::vector<ipc::Route> numbered(std::vector<ipc::Route> routes)
{
    for (std::size_t i = 0; i < routes.size(); ++i)
        routes[i].upstream = static_cast<std::uint32_t>(i + 1);
    return routes;
}

/// The number of the upstream, "redirect", or why there is none.
inline std::string routed(const Site& site, const Request& request)
{
    std::string scratch;
    const auto route = site.route_for(request.head(), scratch);
    if (!route) return std::string{text(route.error())};
    return (*route)->action == Route::Action::redirect ? "redirect" : std::to_string((*route)->upstream);
}

} // namespace sallyport::site
