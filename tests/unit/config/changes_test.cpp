#include "sallyport/config/changes.hpp"

#include "loading.hpp"
#include "support/catch.hpp"

using namespace sallyport::config;

namespace {

Config of(const std::string& text)
{
    return loaded({.text = text});
}

const std::string kFirst = R"(listeners:
  - {bind: ":443", tls: {certificates: [{cert: a.crt, key: a.key}]}, forward: app}
upstreams: {app: {address: "127.0.0.1:7766"}}
)";

} // namespace

TEST_CASE("Equal configurations have no changes, however they are written", "[config][changes]")
{
    CHECK(changes(of(kFirst), of(kFirst)).empty());
    CHECK(changes(of(kFirst), of(kFirst + "shards: auto\n")).empty());
}

TEST_CASE("What changes is told by its key, from what to what", "[config][changes]")
{
    const auto [more, expected] = GENERATE(table<std::string, std::vector<Change>>({
        {"shards: 3\n", {{"shards", "auto", "3"}}},
        {"drain: {delay: 2s}\n", {{"drain.delay", "auto", "2s"}}},
        {"limits: {http: {max_body_size: 1MiB}}\n", {{"limits.http.max_body_size", "16GiB", "1MiB"}}},
        {"log: {access: {headers: [accept, x-a]}}\n", {{"log.access.headers", "[]", "[accept, x-a]"}}},
    }));
    CAPTURE(more);
    CHECK(changes(of(kFirst), of(kFirst + more)) == expected);
}

TEST_CASE("A listener or an upstream that comes or goes is told with all its keys", "[config][changes]")
{
    const std::string second = R"(listeners:
  - {bind: ":443", tls: {certificates: [{cert: b.crt, key: a.key}]}, forward: app}
  - {bind: ":80", redirect: https}
upstreams: {app: {address: "127.0.0.1:7766"}}
)";
    const std::vector<Change> found = changes(of(kFirst), of(second));
    REQUIRE(found.size() >= 3);
    CHECK(found[0] == Change{"listeners[0].tls.certificates[0].cert", "a.crt", "b.crt"});
    CHECK(found[1] == Change{"listeners[1].bind", "", ":80"});
    for (std::size_t i = 1; i < found.size(); ++i)
        CHECK((found[i].key.starts_with("listeners[1].") && found[i].from.empty()));
    const std::vector<Change> back = changes(of(second), of(kFirst));
    CHECK(back.size() == found.size());
    CHECK(back[1] == Change{"listeners[1].bind", ":80", ""});
}

TEST_CASE("The values of fields that are put into heads are not told", "[config][changes]")
{
    const auto with = [](const std::string& token) {
        return of(R"(listeners:
  - bind: ":443"
    tls: {self_signed: true}
    forward: app
    headers: {request: {set: {Authorization: ")" +
                  token + R"("}}}
    routes: [{path: /a, headers: {response: {add: {X-Key: ")" +
                  token + R"("}}}}]
upstreams: {app: {address: "127.0.0.1:7766"}}
)");
    };
    const std::vector<Change> found = changes(with("hunter2"), with("hunter3"));
    CHECK(found.size() == 2);
    for (const Change& one : found) {
        CHECK_THAT(one.key, Catch::Contains("headers."));
        CHECK(one.from == "(not shown)");
        CHECK(one.to == "(not shown)");
    }
}
