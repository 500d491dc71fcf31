// Which route a request takes: by host, path and method, the first that fits.
#include "sallyport/site/site.hpp"
#include "support/catch.hpp"
#include "unit/site/sites.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

std::string by_path(const Site& site, const std::string& target)
{
    return routed(site, {"GET " + target + " HTTP/1.1", "Host: a.example\r\n"});
}

std::string by_host(const Site& site, const std::string& host)
{
    return routed(site, {"GET / HTTP/1.1", "Host: " + host + "\r\n"});
}

} // namespace

TEST_CASE("A path prefix ends at a segment", "[site]")
{
    const auto site = built(listener(), numbered({{.paths = {"/api"}}, {.paths = {"/Files/"}}}));
    const auto [target, expected] = GENERATE(table<std::string, std::string>({
        {"/api", "1"},
        {"/api/", "1"},
        {"/api/x", "1"},
        {"/api?q=/x", "1"},
        {"/api;v=2", "1"},
        {"/API/x", "1"},
        {"http://a.example/api/x", "1"},
        {"/apix", "0"},
        {"/ap", "0"},
        {"/", "0"},
        {"/x/api", "0"},
        {"/x?/api", "0"},
        {"/files/x", "2"},
        {"/files/", "2"},
        {"/files", "0"},
        {"http://a.example", "0"},
        {"http://a.example?/api", "0"},
    }));
    CAPTURE(target);
    CHECK(by_path(*site, target) == expected);
}

TEST_CASE("The path \"/\" is every path, but not that of OPTIONS *", "[site]")
{
    const auto site = built(listener(), numbered({{.paths = {"/"}}}));
    CHECK(by_path(*site, "/x//y") == "1");
    CHECK(by_path(*site, "http://a.example?q") == "1");
    CHECK(routed(*site, {"OPTIONS * HTTP/1.1", "Host: a.example\r\n"}) == "0");
}

TEST_CASE("A path that another reader would take to another route is refused", "[site][bypass]")
{
    // /admin has a route of its own; whatever an app could read as /admin must not go to the default one.
    const auto site = built(listener(), numbered({{.paths = {"/admin", "/a/b"}}, {.paths = {"/public"}}}));
    const auto target = GENERATE(
        as<std::string>{},
        // escapes, once and again
        "/%61dmin", "/%41DMIN", "/adm%69n/x", "/%2561dmin", "/%252561dmin", "/%25%36%31dmin", "/%%36%31dmin",
        // slashes
        "//admin", "///admin/x", "/%2fadmin", "/%2Fadmin", "/\\admin", "/%5cadmin", "/a//b", "/a%2fb", "/a/%2fb",
        "/a\\b",
        // parameters
        "/a;x/b", "/;/admin", "/;x=y/admin", "/a%3bx/b", "/admin%3bx", "/admin%3f", "/admin%23",
        // dot segments
        "/./admin", "/x/../admin", "/x/%2e%2e/admin", "/x/.%2E/admin", "/public/../admin", "/public/..;/admin",
        "/public/..;x=y/admin", "/public/..%2fadmin", "/public/..%5cadmin", "/public/%252e%252e/admin",
        "/public\\..\\admin", "/public/..", "/public/%2e", "/x//../admin", "/..", "/.", "/..?q", "/public/..%3b/admin",
        // a string that ends early
        "/admin%00", "/admin%2500/x");
    CAPTURE(target);
    CHECK(by_path(*site, target) == "ambiguous path");
}

TEST_CASE("A path that all readers take to one route is not", "[site][bypass]")
{
    const auto site = built(listener(), numbered({{.paths = {"/api"}}, {.paths = {"/admin"}}}));
    const auto [target, expected] = GENERATE(table<std::string, std::string>({
        {"/api/projects/group%2Fname", "1"},
        {"/api/%7Euser", "1"},
        {"/api//x", "1"},
        {"/api/https%253A%252F%252Fa.example", "1"},
        {"/api/100%", "1"},
        {"/api/.hidden", "1"},
        {"/api/...", "1"},
        {"/api/x;jsessionid=1", "1"},
        {"/api;jsessionid=1/x", "1"},
        {"/caf%C3%A9", "0"},
        {"/.well-known/acme-challenge/x", "0"},
        {"/x?p=/../%2e%2e//admin", "0"},
        {"/x//y", "0"},
        {"/x%2fadmin", "0"},
    }));
    CAPTURE(target);
    CHECK(by_path(*site, target) == expected);
}

TEST_CASE("Where no route has a path, no path is looked at", "[site]")
{
    const auto site =
        built(listener(), numbered({{.hosts = {"b.example"}, .paths = {"/b"}}, {.hosts = {"c.example"}}}));
    CHECK(by_path(*site, "/x/../y") == "0");
    CHECK(routed(*site, {"GET /../b HTTP/1.1", "Host: b.example\r\n"}) == "ambiguous path");
    CHECK(routed(*site, {"GET /../b HTTP/1.1", "Host: c.example\r\n"}) == "2");
    CHECK(by_path(*built(listener()), "/x/..//\\%00") == "0");
}

TEST_CASE("A host is exact, or one label before a name", "[site]")
{
    const auto site = built(listener(), numbered({{.hosts = {"www.example.com", "Example.com."}},
                                                  {.hosts = {"*.example.com"}},
                                                  {.hosts = {"[2001:db8::1]"}}}));
    const auto [host, expected] = GENERATE(table<std::string, std::string>({
        {"www.example.com", "1"},
        {"WWW.Example.COM:8443", "1"},
        {"www.example.com.", "1"},
        {"example.com", "1"},
        {"api.example.com", "2"},
        {"api.example.com.", "2"},
        {"API.EXAMPLE.COM", "2"},
        {"a.b.example.com", "0"},
        {".example.com", "0"},
        {"xexample.com", "0"},
        {"example.com.evil.example", "0"},
        {"com", "0"},
        {"[2001:db8::1]:443", "3"},
    }));
    CAPTURE(host);
    CHECK(by_host(*site, host) == expected);
}

TEST_CASE("A request without a host has none of the routes' hosts", "[site]")
{
    const auto site = built(listener(), numbered({{.hosts = {"*.example.com", "a.example"}}}));
    CHECK(routed(*site, {"GET / HTTP/1.0", ""}) == "0");
}

TEST_CASE("Methods are compared as they are, and GET means HEAD as well", "[site]")
{
    const auto site = built(listener(), numbered({{.methods = {"GET", "PURGE"}}, {.methods = {"POST"}}}));
    const auto [method, expected] = GENERATE(table<std::string, std::string>({
        {"GET", "1"},
        {"HEAD", "1"},
        {"PURGE", "1"},
        {"POST", "2"},
        {"get", "0"},
        {"DELETE", "0"},
    }));
    CAPTURE(method);
    CHECK(routed(*site, {method + " / HTTP/1.1", "Host: a\r\n"}) == expected);
}

TEST_CASE("The first route that takes a request has it, and all its conditions count", "[site]")
{
    const auto site = built(listener(), numbered({
                                            {.hosts = {"a"}, .paths = {"/x"}, .methods = {"GET"}},
                                            {.hosts = {"a"}, .paths = {"/x", "/y"}},
                                            {.paths = {"/x"}},
                                            {.hosts = {"a"}},
                                        }));
    CHECK(routed(*site, {"GET /x HTTP/1.1", "Host: a\r\n"}) == "1");
    CHECK(routed(*site, {"PUT /x HTTP/1.1", "Host: a\r\n"}) == "2");
    CHECK(routed(*site, {"GET /y HTTP/1.1", "Host: a\r\n"}) == "2");
    CHECK(routed(*site, {"GET /x HTTP/1.1", "Host: b\r\n"}) == "3");
    CHECK(routed(*site, {"GET / HTTP/1.1", "Host: a\r\n"}) == "4");
    CHECK(routed(*site, {"GET / HTTP/1.1", "Host: b\r\n"}) == "0");
}

TEST_CASE("What no route takes is redirected or not found, as the listener says", "[site]")
{
    ipc::Listener from = listener();
    const auto routes = numbered({{.paths = {"/.well-known/acme-challenge/"}}});
    from.site.otherwise = ipc::Otherwise::redirect;
    CHECK(by_path(*built(from, routes), "/x") == "redirect");
    CHECK(by_path(*built(from, routes), "/.well-known/acme-challenge/token") == "1");
    CHECK(by_path(*built(from, routes), "/.well-known/acme-challenge/../x") == "ambiguous path");
    from.site.otherwise = ipc::Otherwise::not_found;
    CHECK(by_path(*built(from, routes), "/x") == "no route");
    CHECK(by_path(*built(from, routes), "/.well-known/acme-challenge/token") == "1");
}

TEST_CASE("No reading between the strictest and the loosest finds a route of its own", "[site][bypass]")
{
    // Method: paths put together of every pair and triple of tricky pieces; an app's reading is one of several partial
    // ones. Where a route was chosen, none of them is below the other route's path.
    const std::string pieces[] = {"/", "//", "/a",  "a",  "/b",  "%61", "%2f", "%2e", ".", "..",
                                  ";", "\\", "%25", "61", "%5c", "%3b", "A",   "%",   "?"};
    const auto site = built(listener(), numbered({{.paths = {"/a"}}}));
    std::size_t forwarded = 0;
    for (const std::string& first : pieces)
        for (const std::string& second : pieces)
            for (const std::string& third : pieces) {
                const std::string path = "/" + first + second + third;
                if (by_path(*site, path) != "0") continue;
                ++forwarded;
                for (std::string reading : {path.substr(0, path.find('?')), std::string{}}) {
                    if (reading.empty() && !read_loosely(path, reading)) continue;
                    INFO(path << " as " << reading);
                    CHECK_FALSE(is_below(reading, "/a"));
                }
            }
    CHECK(forwarded > 1000);
}
