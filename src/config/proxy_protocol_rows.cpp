#include "proxy_protocol_rows.hpp"

#include "site_kinds.hpp"

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTrustedMax = 256;
/// Two IPv6 addresses and their fixed part have 52 bytes, Unix sockets 232. A receive buffer must hold all of it.
constexpr Range kSizes{256, std::uint64_t{16} << 10};

Rows<ProxyProtocol> rows()
{
    using Proxy = ProxyProtocol;
    return {
        value<Proxy>("mode", &Proxy::mode,
                     Choice<ProxyHeader>{{{"none", ProxyHeader::none},
                                          {"optional", ProxyHeader::optional},
                                          {"required", ProxyHeader::required}}},
                     "Whether connections begin with a PROXY header: required refuses those without; optional takes "
                     "them as they are"),
        value<Proxy>("trusted", &Proxy::trusted, ListOf<TrustedProxyText>{{}, kTrustedMax},
                     "The networks of the load balancers that may send one; unix is whoever connects to a Unix socket",
                     Presence::optional),
        value<Proxy>(
            "version", &Proxy::version,
            Choice<ProxyVersions>{{{"any", ProxyVersions::any}, {"v1", ProxyVersions::v1}, {"v2", ProxyVersions::v2}}},
            "Which version is taken"),
        value<Proxy>("timeout", &Proxy::timeout, Duration<Millis>{1h}, "How long the header may take"),
        value<Proxy>("max_size", &Proxy::max_size, Size{kSizes}, "How large the header may be"),
    };
}

} // namespace

Row<Listener> proxy_protocol_row()
{
    const auto is_on = [](const Listener& listener) { return listener.proxy_protocol.mode != ProxyHeader::none; };
    return written_if<Listener>(
        is_on, mapping<Listener>("proxy_protocol", &Listener::proxy_protocol, rows(),
                                 "What a load balancer before us says of the client (PROXY protocol)"));
}

Row<Upstream> send_proxy_protocol_row()
{
    return value<Upstream>("send_proxy_protocol", &Upstream::send_proxy_protocol,
                           Choice<SentProxyHeader>{{{"none", SentProxyHeader::none},
                                                    {"v1", SentProxyHeader::v1},
                                                    {"v2", SentProxyHeader::v2},
                                                    {"v2-crc32c", SentProxyHeader::v2_crc32c}}},
                           "The PROXY header that tells the app of the client and its TLS, on each connection; then "
                           "each carries one request of mode http, and none is kept");
}

} // namespace sallyport::config
