#include "sallyport/http/request_head.hpp"

#include "support/catch.hpp"

using namespace sallyport::http;

namespace {

/// Accepted, or the test ends.
RequestHead parsed(std::string_view head)
{
    RequestHead request;
    const auto accepted = parse_request(head, {}, request);
    REQUIRE(accepted.has_value());
    return request;
}

} // namespace

TEST_CASE("A request's parts are views of its bytes", "[http][request]")
{
    const std::string_view head = "POST /a?b HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 7\r\nX-Y: z\r\n\r\n";
    const RequestHead request = parsed(head);
    CHECK(request.method == Method::post);
    CHECK(request.method_text == "POST");
    CHECK(request.target == "/a?b");
    CHECK(request.path == "/a?b");
    CHECK(request.version == Version::http11);
    CHECK(request.authority == "[::1]:8080");
    CHECK(request.host == "[::1]");
    CHECK(request.framing == Framing{Framing::Kind::length, 7});
    CHECK(request.fields.size() == 3);
    CHECK(request.fields.find(FieldName::content_length)->name == "Content-Length");
    CHECK(request.fields.begin()[2].value == "z");
    CHECK(request.path.data() == head.data() + 5);
}

TEST_CASE("Methods are known by name, and by whether they may be repeated", "[http][request]")
{
    const auto [text, method, idempotent] = GENERATE(table<std::string, Method, bool>({
        {"GET", Method::get, true},
        {"HEAD", Method::head, true},
        {"PUT", Method::put, true},
        {"DELETE", Method::del, true},
        {"OPTIONS", Method::options, true},
        {"TRACE", Method::trace, true},
        {"POST", Method::post, false},
        {"PATCH", Method::patch, false},
        {"get", Method::other, false},
        {"PROPFIND", Method::other, false},
    }));
    CAPTURE(text);
    const std::string head = text + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(parsed(head).method == method);
    CHECK(is_idempotent(method) == idempotent);
}

TEST_CASE("A connection stays open if both ends mean it", "[http][request][rfc9112-9.3]")
{
    const auto [version, fields, stays] = GENERATE(table<std::string, std::string, bool>({
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: Close\r\n", false},
        {"1.1", "Connection: keep-alive, close\r\n", false},
        {"1.1", "Connection: upgrade\r\nConnection: close\r\n", false},
        {"1.1", "Connection: closed\r\n", true},
        {"1.1", "X: close\r\n", true},
        {"1.0", "", false},
        {"1.0", "Connection: keep-alive\r\n", true},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
        {"1.0", "Keep-Alive: timeout=5\r\n", false},
    }));
    CAPTURE(version, fields);
    const std::string head = "GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
    CHECK(parsed(head).keep_alive == stays);
}

TEST_CASE("A head that is reused has nothing left of the one before", "[http][request]")
{
    RequestHead request;
    REQUIRE(parse_request(
        "POST http://a?x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nTE: trailers\r\n"
        "Connection: Upgrade, X\r\nUpgrade: websocket\r\nX: y\r\n\r\n",
        {}, request));
    CHECK(request.expects_continue);
    REQUIRE(parse_request("GET / HTTP/1.0\r\n\r\n", {}, request));
    CHECK(request.method == Method::get);
    CHECK(request.fields.empty());
    CHECK(request.fields.find(FieldName::host) == nullptr);
    CHECK(request.authority.empty());
    CHECK(request.host.empty());
    CHECK(request.framing == Framing{});
    CHECK(request.upgrade.empty());
    CHECK_FALSE(request.expects_continue);
    CHECK_FALSE(request.accepts_trailers);
    CHECK_FALSE(request.connection.removes({"X", "y", FieldName::other}));
}

TEST_CASE("What may not stand in a value is seen at every place of it", "[http][request][rfc9110-5.5]")
{
    // Goal: sixteen bytes at once, and the few at the end, see what one byte at a time does.
    for (std::size_t size = 1; size <= 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string value(size, 'v');
                value[at] = static_cast<char>(byte);
                const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX:" + value + "\r\n\r\n";
                RequestHead head;
                const bool accepted = parse_request(text, {}, head).has_value();
                const bool lawful = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
                if (accepted != lawful) FAIL_CHECK("byte " << byte << " at " << at << " of " << size);
            }
        }
    }
}

TEST_CASE("The limits are the caller's", "[http][request]")
{
    const std::string_view head = "GET /0123 HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
    RequestHead request;
    CHECK(parse_request(head, {.target_bytes = 5, .fields = 2}, request));
    CHECK(parse_request(head, {.target_bytes = 4}, request).error().reason == Refusal::target_too_long);
    CHECK(parse_request(head, {.fields = 1}, request).error().reason == Refusal::too_many_fields);

    HeadScanner exact{{.head_bytes = head.size()}};
    CHECK(exact.look(head) == head.size());
    HeadScanner narrow{{.head_bytes = head.size() - 1}};
    CHECK(narrow.look(head).error().reason == Refusal::head_too_large);
}

TEST_CASE("A head that is too large tells its largest field's name and size", "[http][request][rfc6585-5]")
{
    const auto [head, name, size] = GENERATE(table<std::string, std::string, std::size_t>({
        {"GET / HTTP/1.1\r\nHost: a\r\nCookie: 0123456789\r\nB: c\r\n\r\n", "Cookie", 18},
        {"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nCookie: 012345678901234567890123456789", "Cookie", 20},
        {"GET / HTTP/1.1\r\nHost: a\r\nno name at all 0123456789 : x\r\n\r\n", "", 26},
        {"GET / HTTP/1.1\r\nHost: a\r\n01234567890123456789012345678901234567890123456789", "", 26},
    }));
    CAPTURE(head);
    HeadScanner scanner{{.head_bytes = 51}};
    const auto refused = scanner.look(head);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == Refusal::head_too_large);
    CHECK(refused.error().field == name);
    CHECK(refused.error().field_size == size);
}

TEST_CASE("Too many fields tell the largest too", "[http][request][rfc6585-5]")
{
    RequestHead request;
    const auto refused =
        parse_request("GET / HTTP/1.1\r\nHost: a\r\nCookie: 0123456789\r\nB: c\r\n\r\n", {.fields = 2}, request);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().field == "Cookie");
    CHECK(refused.error().field_size == 18);
}
