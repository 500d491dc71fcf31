// The rules of listeners and routes: what is set, added and removed, and which of them wins.
#include "sallyport/site/site.hpp"
#include "support/catch.hpp"
#include "unit/site/sites.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

constexpr std::array<std::byte, 16> kSeed{};

ipc::Listener silent()
{
    ipc::Listener from = listener();
    from.site.forwarded = ipc::ForwardedForm::none;
    return from;
}

/// The request's fields after its Host, by the route of /r if `target` is that.
std::string asked(const ipc::Listener& from, const ipc::HeaderRules& route, const std::string& fields,
                  const std::string& target = "/r")
{
    const auto site = built(from, {{.paths = {"/r"}, .request = route}});
    const Request request{"GET " + target + " HTTP/1.1", "Host: a\r\n" + fields};
    std::string scratch;
    RequestEdits edits;
    const ClientFacts client = site->client_facts(SocketAddress::parse("192.0.2.7:1").value());
    edits.prepare(**site->route_for(request.head(), scratch), request.head(), client, kSeed);
    std::string out;
    http::write_request(out, request.head(), {.edits = edits.edits()});
    out.erase(0, out.find("Host: a\r\n") + 9);
    const std::size_t id = out.find("X-Request-Id: 00000000000000000000000000000000\r\n");
    if (id != std::string::npos) out.erase(id, 48);
    return out.substr(0, out.size() - 2);
}

std::string answered(const ipc::Listener& from, const ipc::HeaderRules& route, const std::string& fields)
{
    const auto site = built(from, {{.paths = {"/r"}, .response = route}});
    const Request request{"GET /r HTTP/1.1", "Host: a\r\n"};
    const std::string text = "HTTP/1.1 204 No Content\r\n" + fields + "\r\n";
    http::ResponseHead head;
    REQUIRE(http::parse_response(text, {}, http::Method::get, head));
    std::string scratch;
    std::string out;
    http::write_response(out, head, {.edits = (*site->route_for(request.head(), scratch))->headers.response()});
    out.erase(0, out.find("\r\n") + 2);
    return out.substr(0, out.size() - 2);
}

} // namespace

TEST_CASE("To set a field is to replace all of its name, in any spelling", "[site][headers]")
{
    CHECK(asked(silent(), {.set = {{"X-A", "ours"}}}, "x-a: 1\r\nX_A: 2\r\nX-A: 3\r\nX-B: 4\r\n") ==
          "X-B: 4\r\nX-A: ours\r\n");
    CHECK(asked(silent(), {.add = {{"X-A", "ours"}}}, "x-a: 1\r\n") == "x-a: 1\r\nX-A: ours\r\n");
    CHECK(asked(silent(), {.remove = {"X-A", "Cookie"}}, "x-a: 1\r\nCookie: c\r\nB: d\r\n") == "B: d\r\n");
    CHECK(answered(silent(), {.set = {{"Server", "s"}}, .add = {{"X", "y"}}, .remove = {"X-Powered-By"}},
                   "server: app\r\nX-Powered-By: php\r\nX: z\r\n") == "X: z\r\nServer: s\r\nX: y\r\n");
}

TEST_CASE("A route's rules override its listener's, name by name", "[site][headers]")
{
    ipc::Listener from = silent();
    from.site.request = {.set = {{"X-A", "listener"}, {"X-B", "listener"}},
                         .add = {{"X-C", "listener"}, {"X-D", "listener"}},
                         .remove = {"X-E"}};
    CHECK(asked(from, {}, "X-A: client\r\nX-E: client\r\n", "/other") ==
          "X-A: listener\r\nX-B: listener\r\nX-C: listener\r\nX-D: listener\r\n");
    CHECK(asked(from,
                {.set = {{"x-a", "route"}}, .add = {{"X-D", "route"}, {"X-E", "route"}}, .remove = {"X-B", "X-C"}},
                "X-A: client\r\nX-B: client\r\nX-C: client\r\nX-E: client\r\n") ==
          "X-D: listener\r\nx-a: route\r\nX-D: route\r\nX-E: route\r\n");
}

TEST_CASE("A rule about a forwarding field takes the place of ours", "[site][headers]")
{
    ipc::Listener from = listener();
    from.site.request = {.set = {{"X-Forwarded-Proto", "https"}}, .remove = {"X-Forwarded-Port", "X-Request-Id"}};
    CHECK(asked(from, {}, "X-Forwarded-Proto: ftp\r\nX-Request-Id: 1\r\n") ==
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: a\r\nX-Forwarded-Proto: https\r\n");
    // What is taken from everybody may still be set by the configuration.
    CHECK(asked(silent(), {.set = {{"X-Real-IP", "0.0.0.0"}}}, "X-Real-IP: 1.1.1.1\r\n") == "X-Real-IP: 0.0.0.0\r\n");
}

TEST_CASE("HSTS is said with TLS only, in place of the app's", "[site][headers][rfc6797]")
{
    ipc::Listener from = silent();
    from.site.hsts = "max-age=60";
    const std::string app = "Strict-Transport-Security: max-age=1\r\n";
    const std::string ours = "Strict-Transport-Security: max-age=60\r\n";
    CHECK(answered(from, {}, app) == ours);
    REQUIRE(built(from)->own_answer_lines().size() == 1);
    CHECK(built(from)->own_answer_lines()[0].value == "max-age=60");
    CHECK(answered(from, {.remove = {"Strict-Transport-Security"}}, app).empty());
    CHECK(answered(from, {.set = {{"strict-transport-security", "max-age=0"}}}, app) ==
          "strict-transport-security: max-age=0\r\n");

    from.tls.certificates.clear();
    CHECK(answered(from, {}, app) == app);
    CHECK(built(from)->own_answer_lines().empty());
    CHECK(built(silent())->own_answer_lines().empty());
}

TEST_CASE("A rule that would break a head is refused", "[site][headers]")
{
    const ipc::HeaderRules bad = GENERATE(as<ipc::HeaderRules>{}, ipc::HeaderRules{.set = {{"X A", "b"}}},
                                          ipc::HeaderRules{.set = {{"X", "a\r\nB: c"}}},
                                          ipc::HeaderRules{.add = {{"", "b"}}}, ipc::HeaderRules{.remove = {"a:"}});
    ipc::Listener from = listener();
    CHECK_FALSE(Site::build(from, {{.paths = {"/"}, .request = bad}}).has_value());
    CHECK_FALSE(Site::build(from, {{.paths = {"/"}, .response = bad}}).has_value());
    from.site.response = bad;
    const auto refused = Site::build(from, {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() == "listener :443: a header rule is not lawful");
}
