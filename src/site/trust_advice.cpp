#include "sallyport/site/trust_advice.hpp"

#include <array>

namespace sallyport::site {

namespace {

constexpr std::string_view kDjango = "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')";

/// In the order of AppSees.
constexpr std::array<TrustAdvice, 4> kAdvice{{
    {.uvicorn = "nothing: it trusts 127.0.0.1",
     .gunicorn = "nothing: it trusts 127.0.0.1",
     .django = kDjango,
     .express = "app.set('trust proxy', 'loopback')"},
    {.uvicorn = "--forwarded-allow-ips=::1",
     .gunicorn = "--forwarded-allow-ips=::1",
     .django = kDjango,
     .express = "app.set('trust proxy', 'loopback')"},
    {.uvicorn = "--forwarded-allow-ips='*' (whoever may open the socket is trusted)",
     .gunicorn = "nothing: it trusts who may open the socket",
     .django = kDjango,
     .express = "app.set('trust proxy', 1)"},
    {.uvicorn = "--forwarded-allow-ips=ADDRESS, ours as the app sees it",
     .gunicorn = "--forwarded-allow-ips=ADDRESS, ours as the app sees it",
     .django = kDjango,
     .express = "app.set('trust proxy', 'ADDRESS'), ours as the app sees it"},
}};

} // namespace

AppSees app_sees(const SocketAddress& app)
{
    if (app.is_unix()) return AppSees::unix_socket;
    if (!app.is_loopback()) return AppSees::network;
    return app.family() == AF_INET ? AppSees::loopback_ipv4 : AppSees::loopback_ipv6;
}

const TrustAdvice& trust_advice(AppSees from)
{
    return kAdvice.at(static_cast<std::size_t>(from));
}

} // namespace sallyport::site
