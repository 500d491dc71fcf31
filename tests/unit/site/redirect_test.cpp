// To https, to another connection, and what the operator is told.
#include "sallyport/site/redirect.hpp"

#include "sallyport/site/misdirected.hpp"
#include "sallyport/site/trust_advice.hpp"
#include "support/catch.hpp"
#include "unit/site/sites.hpp"

using namespace sallyport;
using namespace sallyport::site;

TEST_CASE("A redirect keeps host, path and query", "[site][redirect]")
{
    const auto [start, host, port, expected] = GENERATE(table<std::string, std::string, std::uint16_t, std::string>({
        {"GET /a/b?c=d&e", "a.example", 443, "https://a.example/a/b?c=d&e"},
        {"POST /", "A.example:8080", 443, "https://A.example/"},
        {"GET /x", "a.example:80", 8443, "https://a.example:8443/x"},
        {"GET //evil.example/", "a.example", 443, "https://a.example//evil.example/"},
        {"GET /x", "[2001:db8::1]:80", 443, "https://[2001:db8::1]/x"},
        {"GET http://a.example", "a.example", 443, "https://a.example/"},
        {"GET http://a.example?q", "a.example", 443, "https://a.example/?q"},
        {"OPTIONS *", "a.example", 443, "https://a.example/"},
    }));
    const Request request{start + " HTTP/1.1", "Host: " + host + "\r\n"};
    std::string location;
    CHECK(append_location(location, request.head(), port));
    CHECK(location == expected);
}

TEST_CASE("Without a host there is nowhere to redirect to", "[site][redirect]")
{
    const Request request{"GET / HTTP/1.0", ""};
    std::string location;
    CHECK_FALSE(append_location(location, request.head(), 443));
    CHECK(location.empty());
}

TEST_CASE("A host is misdirected where the handshake's name has another identity", "[site][rfc9110-15.5.20]")
{
    CHECK_FALSE(may_be_misdirected("", "b.example"));
    CHECK_FALSE(may_be_misdirected("a.example", "A.Example"));
    CHECK_FALSE(may_be_misdirected("a.example", "a.example."));
    CHECK(may_be_misdirected("a.example", "b.example"));
    CHECK(may_be_misdirected("a.example", ""));

    CHECK_FALSE(is_misdirected({.certificate = 1}, {.certificate = 1}));
    CHECK(is_misdirected({.certificate = 1}, {.certificate = 2}));
    CHECK(is_misdirected({.certificate = 1, .client_policy = 1}, {.certificate = 1, .client_policy = 2}));
}

TEST_CASE("The operator is told what the app needs to trust us, by where it is", "[site]")
{
    const auto advice = [](std::string_view app) { return trust_advice(app_sees(SocketAddress::parse(app).value())); };
    CHECK(advice("127.0.0.1:7766").uvicorn == "nothing: it trusts 127.0.0.1");
    CHECK(advice("127.9.9.9:7766").express == "app.set('trust proxy', 'loopback')");
    CHECK(advice("[::1]:7766").uvicorn == "--forwarded-allow-ips=::1");
    CHECK(advice("unix:/run/app.sock").gunicorn == "nothing: it trusts who may open the socket");
    CHECK(advice("10.0.0.1:80").uvicorn == "--forwarded-allow-ips=ADDRESS, ours as the app sees it");
    CHECK(advice("10.0.0.1:80").django == "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')");
}
