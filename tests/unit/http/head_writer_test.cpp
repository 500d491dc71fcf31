#include "sallyport/http/head_writer.hpp"

#include <array>

#include "support/catch.hpp"

using namespace sallyport::http;

namespace {

std::string request(std::string_view head, const RequestOptions& options)
{
    RequestHead parsed;
    REQUIRE(parse_request(head, {}, parsed));
    std::string out;
    write_request(out, parsed, options);
    return out;
}

std::string response(std::string_view head, ResponseOptions options, Method asked = Method::get)
{
    ResponseHead parsed;
    REQUIRE(parse_response(head, {}, asked, parsed));
    options.framing = framing_for(options.client, parsed);
    std::string out;
    write_response(out, parsed, options);
    return out;
}

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

} // namespace

TEST_CASE("A route removes fields and adds some; to set one is to do both", "[http][writer]")
{
    NameSet removed;
    removed.insert("X-Forwarded-For");
    removed.insert("X-User");
    const std::array added{Line{"X-Forwarded-For", "192.0.2.1"}, Line{"X-New", ""}};
    const std::string_view head =
        "GET / HTTP/1.1\r\nHost: a\r\nx-forwarded-for: 10.0.0.1\r\nX_User: root\r\nX-USER: root\r\nB: c\r\n\r\n";
    CHECK(request(head, {.edits = {&removed, added}}) ==
          "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nX-Forwarded-For: 192.0.2.1\r\nX-New: \r\n\r\n");
}

TEST_CASE("Connection does not reach what the route adds", "[http][writer]")
{
    const std::array added{Line{"X-Mine", "1"}};
    CHECK(request("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Mine\r\nX-Mine: 2\r\n\r\n",
                  {.edits = {.added = added}}) == "GET / HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\n\r\n");
}

TEST_CASE("The app is told to close, and of an upgrade, in one field", "[http][writer]")
{
    CHECK(request("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n",
                  {.keep_alive = false}) ==
          "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade, TE\r\nUpgrade: tcp\r\nTE: trailers\r\n\r\n");
}

TEST_CASE("A writer appends", "[http][writer]")
{
    RequestHead parsed;
    REQUIRE(parse_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {}, parsed));
    std::string out = "before";
    write_request(out, parsed, {});
    CHECK(out == "beforeGET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_CASE("A client is told whether the connection stays, as its version needs", "[http][writer][rfc9112-9.3]")
{
    const auto [client, keep_alive, said] = GENERATE(table<Version, bool, std::string>({
        {Version::http11, true, ""},
        {Version::http11, false, "Connection: close\r\n"},
        {Version::http10, true, "Connection: keep-alive\r\n"},
        {Version::http10, false, "Connection: close\r\n"},
    }));
    CHECK(response(kOk, {.client = client, .keep_alive = keep_alive}) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + said + "\r\n");
}

TEST_CASE("A body without a length is chunked for those who can read that", "[http][writer][rfc9112-6.3]")
{
    const std::string_view head = GENERATE(
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n");
    CAPTURE(head);
    CHECK(response(head, {}) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(response(head, {.client = Version::http10}) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST_CASE("An upgrade is answered as one", "[http][writer][rfc9110-7.8]")
{
    CHECK(
        response("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nA: b\r\n\r\n", {}) ==
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nA: b\r\n\r\n");
}

TEST_CASE("An interim response says nothing of the connection", "[http][writer][rfc9110-15.2]")
{
    CHECK(response("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", {.keep_alive = false}) ==
          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST_CASE("A response's own Connection stays behind", "[http][writer][rfc9110-7.6.1]")
{
    CHECK(response("HTTP/1.1 200 OK\r\nConnection: close, X\r\nKeep-Alive: timeout=5\r\nX: y\r\nSet-Cookie: a\r\n"
                   "Set-Cookie: b\r\nContent-Length: 0\r\n\r\n",
                   {}) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n");
}
