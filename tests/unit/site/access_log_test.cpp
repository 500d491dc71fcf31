#include "sallyport/site/access_log.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

#include "site/access_text.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/counted_allocations.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

// 2026-11-22 10:17:19 UTC
const std::chrono::system_clock::time_point kTime{std::chrono::seconds{1795342639}};

/// An exchange with all that can be known of one.
Exchange complete(const http::Fields& fields)
{
    return {
        .connection = {.client = "192.0.2.1:40000",
                       .via = "10.0.0.9:555",
                       .listener = ":443",
                       .tls = "TLSv1.3",
                       .cipher = "TLS_AES_128_GCM_SHA256",
                       .group = "x25519",
                       .sni = "a.example",
                       .alpn = "http/1.1",
                       .resumed = true},
        .http = "1.1",
        .method = "POST",
        .host = "a.example:443",
        .target = "/login?next=/&code=abc",
        .fields = &fields,
        .request_id = "r-1",
        .number = 3,
        .status = 201,
        .bytes_from_client = 12,
        .bytes_to_client = 34,
        .duration_ms = 56,
        .first_byte_ms = 7,
        .upstream_ms = 6,
        .connect_ms = 0,
        .upstream = "app",
        .upstream_address = "127.0.0.1:7766",
        .reused = false,
        .replayed = true,
        .reason = Reason::none,
        .detail = {},
    };
}

http::Fields browser()
{
    http::Fields fields;
    fields.add("User-Agent", "Mozilla/5.0 \"x\"");
    fields.add("Referer", "https://me:pw@b.example/?token=t&x=1");
    fields.add("Cookie", "id=1");
    fields.add("X-Tenant", "blue");
    fields.add("X-Original-URL", "/o?key=k");
    return fields;
}

/// What a process writes that logs so.
std::string written(const ipc::AccessLog& settings, const Exchange& exchange,
                    const log::Options& options = {.process = "worker"})
{
    const auto captured = test::capture_child([&] {
        log::start(options);
        AccessLog access{settings};
        if (access.wants(exchange.reason)) access.write(exchange);
        log::stop();
    });
    REQUIRE(captured.status == 0);
    return captured.output;
}

/// A structured line without its time.
std::string structured(const Exchange& exchange, std::vector<std::string> headers = {},
                       std::vector<std::string> redact = {})
{
    const std::string line =
        written({.format = ipc::AccessFormat::structured, .headers = std::move(headers), .redact = std::move(redact)},
                exchange);
    REQUIRE(std::ranges::count(line, '\n') == 1);
    return line.substr(std::min(line.find("\"level\""), line.size()));
}

std::string common(const Exchange& exchange)
{
    std::string out;
    append_common(out, exchange, exchange.target, kTime);
    return out;
}

} // namespace

TEST_CASE("A structured line tells everything of an exchange, and no secret", "[site][access]")
{
    const http::Fields fields = browser();
    CHECK(
        structured(complete(fields)) ==
        R"("level":"info","process":"worker","event":"exchange ended","client":"192.0.2.1:40000","via":"10.0.0.9:555",)"
        R"("listener":":443",)"
        R"("http":"1.1","request":3,"request_id":"r-1","status":201,"bytes_from_client":12,"bytes_to_client":34,)"
        R"("duration_ms":56,"first_byte_ms":7,"upstream":"app","upstream_address":"127.0.0.1:7766","upstream_ms":6,)"
        R"("connect_ms":0,"reused":false,"replayed":true,"tls":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256",)"
        R"("group":"x25519","sni":"a.example","alpn":"http/1.1","resumed":true,"method":"POST",)"
        R"("host":"a.example:443","target":"/login?next=/&code=REDACTED",)"
        R"("referer":"https://b.example/?token=REDACTED&x=1","user_agent":"Mozilla/5.0 \"x\""})"
        "\n");
}

TEST_CASE("What did not come to be is left out", "[site][access]")
{
    CHECK(structured({.connection = {.client = "unix:", .listener = ":80"},
                      .status = 400,
                      .reason = Reason::client_malformed,
                      .detail = "bare line feed"}) ==
          R"("level":"info","process":"worker","event":"exchange ended","client":"unix:","listener":":80","request":0,)"
          R"("status":400,"reason":"client_malformed","detail":"bare line feed","bytes_from_client":0,)"
          R"("bytes_to_client":0,"duration_ms":0})"
          "\n");
}

TEST_CASE("Where no status was sent, the line has that of its reason", "[site][access]")
{
    const auto [reason, expected] = GENERATE(table<Reason, std::string>({
        {Reason::client_left, R"("status":499,"reason":"client_left")"},
        {Reason::app_reset, R"("status":502,"reason":"app_reset")"},
        {Reason::cut, R"("status":503,"reason":"cut")"},
    }));
    CHECK_THAT(structured({.reason = reason}), Catch::Contains(expected));
    CHECK_THAT(structured({.status = 200, .reason = reason}), Catch::Contains("\"status\":200,"));
}

TEST_CASE("The app's failures are warnings, ours are errors", "[site][access]")
{
    CHECK_THAT(structured({.reason = Reason::app_truncated}), Catch::StartsWith("\"level\":\"warn\""));
    CHECK_THAT(structured({.reason = Reason::internal_error}), Catch::StartsWith("\"level\":\"error\""));
    CHECK_THAT(structured({.reason = Reason::client_left}), Catch::StartsWith("\"level\":\"info\""));
}

TEST_CASE("Fields that are asked for are on the line, secret ones without their values", "[site][access]")
{
    const http::Fields fields = browser();
    const std::string line =
        structured(complete(fields), {"x-tenant", "COOKIE", "Authorization", "x-original-url", "Referer", "accept"});
    CHECK_THAT(line, Catch::EndsWith(R"(,"header.x-tenant":"blue","header.cookie":"REDACTED",)"
                                     R"("header.x-original-url":"/o?key=REDACTED",)"
                                     R"("header.referer":"https://b.example/?token=REDACTED&x=1"})"
                                     "\n"));
    CHECK_THAT(structured(complete(fields), {"x-tenant"}, {"X_Tenant", "next"}),
               Catch::Contains(R"("header.x-tenant":"REDACTED")") && Catch::Contains("?next=REDACTED&code=REDACTED"));
}

TEST_CASE("Whatever bytes a client sends, a line stays one line of valid text", "[site][access]")
{
    const std::string hostile = "\"}\r\n{\"level\":\"info\"}\x1b[2J\xFF\xC0\xAF\xE2\x80\xAE\\";
    http::Fields fields;
    fields.add("User-Agent", hostile);
    fields.add("Referer", hostile);
    fields.add("X-Tenant", hostile);
    const Exchange exchange{
        .method = hostile, .host = hostile, .target = hostile, .fields = &fields, .request_id = hostile};
    const std::string line = structured(exchange, {"x-tenant"});
    CHECK(std::ranges::all_of(line.substr(0, line.size() - 1),
                              [](char c) { return static_cast<unsigned char>(c) >= 0x20; }));
    CHECK_THAT(line, !Catch::Contains("\xFF") && !Catch::Contains("\xC0") && !Catch::Contains("\xE2\x80\xAE"));
    const std::string escaped = R"("\"}\r\n{\"level\":\"info\"}\u001b[2J)"
                                "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                                R"(\u202e\\")";
    for (const char* const name :
         {"request_id", "method", "host", "target", "referer", "user_agent", "header.x-tenant"})
        CHECK_THAT(line, Catch::Contains("\"" + std::string{name} + "\":" + escaped));

    for (const auto format : {ipc::AccessFormat::common, ipc::AccessFormat::combined}) {
        const std::string text = written({.format = format}, exchange);
        CHECK(std::ranges::count(text, '\n') == 1);
        CHECK(std::ranges::all_of(text.substr(0, text.size() - 1), [](char c) { return c >= 0x20 && c < 0x7F; }));
        CHECK_THAT(text, Catch::Contains(R"(\"}\x0d\x0a{\"level\":\"info\"}\x1b[2J\xff\xc0\xaf\xe2\x80\xae\\)"));
    }
}

TEST_CASE("However long what a client sends is, a line fits into a pipe and keeps its outcome", "[site][access]")
{
    const std::string big(60'000, '\xFF');
    http::Fields fields;
    fields.add("User-Agent", big);
    fields.add("Referer", big);
    Exchange exchange = complete(fields);
    exchange.method = exchange.host = exchange.target = big;
    const std::string line = structured(exchange);
    CHECK(line.size() <= 4096);
    CHECK_THAT(line, Catch::Contains("\"status\":201,") && Catch::EndsWith("\"cut\":true}\n"));
    const std::string text = written({.format = ipc::AccessFormat::combined}, exchange);
    CHECK(text.size() <= 4096);
    CHECK_THAT(text, Catch::Contains(" 201 34 \"") && Catch::EndsWith("\"\n"));
}

TEST_CASE("A common line is httpd's", "[site][access]")
{
    Exchange exchange{.connection = {.client = "192.0.2.1:40000"},
                      .http = "1.1",
                      .method = "GET",
                      .target = "/a?b=\"c\"",
                      .status = 200,
                      .bytes_to_client = 5};
    CHECK(common(exchange) == R"(192.0.2.1 - - [22/Nov/2026:10:17:19 +0000] "GET /a?b=\"c\" HTTP/1.1" 200 5)");
    exchange.connection.client = "[2001:db8::1]:443";
    exchange.bytes_to_client = 0;
    exchange.http = "2";
    CHECK(common(exchange) == R"(2001:db8::1 - - [22/Nov/2026:10:17:19 +0000] "GET /a?b=\"c\" HTTP/2" 200 -)");
    CHECK(common({.connection = {.client = "unix:"}, .reason = Reason::client_malformed}) ==
          R"(- - - [22/Nov/2026:10:17:19 +0000] "-" 400 -)");
}

TEST_CASE("A combined line has the referer and the user agent as well, and redacts as the others do", "[site][access]")
{
    const http::Fields fields = browser();
    const std::string line = written({.format = ipc::AccessFormat::combined}, complete(fields));
    CHECK_THAT(line, Catch::StartsWith("192.0.2.1 - - [") &&
                         Catch::EndsWith(R"( +0000] "POST /login?next=/&code=REDACTED HTTP/1.1" 201 34 )"
                                         R"("https://b.example/?token=REDACTED&x=1" "Mozilla/5.0 \"x\"")"
                                         "\n"));
    std::string nothing;
    append_combined(nothing, {}, {});
    CHECK(nothing == R"( "-" "-")");
}

TEST_CASE("No line is written that nobody asked for", "[site][access]")
{
    const http::Fields fields = browser();
    CHECK(written({.format = ipc::AccessFormat::none}, complete(fields)).empty());
    for (const auto format : {ipc::AccessFormat::structured, ipc::AccessFormat::combined}) {
        const ipc::AccessLog settings{.format = format};
        CHECK(written(settings, complete(fields), {.level = log::Level::warn}).empty());
        CHECK_FALSE(written(settings, {.reason = Reason::app_refused}, {.level = log::Level::warn}).empty());
        CHECK(written(settings, {.reason = Reason::app_refused}, {.level = log::Level::none}).empty());
    }
}

TEST_CASE("Once warm, a line costs no allocation until the log takes it", "[site][access]")
{
    const auto format = GENERATE(ipc::AccessFormat::structured, ipc::AccessFormat::combined);
    const auto captured = test::capture_child([format] {
        log::start({.level = log::Level::none}); // takes none
        const http::Fields fields = browser();
        const Exchange exchange = complete(fields);
        AccessLog access{{.format = format, .headers = {"x-original-url", "x-tenant"}, .redact = {}}};
        access.write(exchange);
        const std::uint64_t before = test::allocations;
        for (int i = 0; i < 100; ++i)
            access.write(exchange);
        MUST(test::allocations == before);
        log::stop();
    });
    CHECK(captured.status == 0);
}
