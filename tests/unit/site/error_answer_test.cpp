#include "sallyport/site/error_answer.hpp"

#include <string>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::site;

namespace {

// Sun, 22 Nov 2026 10:17:19 GMT
const std::chrono::system_clock::time_point kNow{std::chrono::seconds{1795342639}};

std::string body(const ErrorAnswer& answer)
{
    std::string out;
    append_error_body(out, answer);
    return out;
}

std::string fields(const ErrorAnswer& answer)
{
    const ErrorFields made{answer, body(answer).size()};
    std::string out;
    for (const http::Line& line : made.lines())
        out.append(line.name).append(": ").append(line.value).append("\r\n");
    return out;
}

} // namespace

TEST_CASE("A program is told in JSON, and everything about the answer in its head", "[site][error]")
{
    const std::string_view expected = R"({"status":502,"title":"Bad Gateway",)"
                                      R"("detail":"The service is not available at the moment.","request_id":"r-1"})"
                                      "\n";
    const ErrorAnswer answer{.reason = Reason::app_refused, .now = kNow, .request_id = "r-1"};
    CHECK(body(answer) == expected);
    CHECK(fields(answer) == "date: Sun, 22 Nov 2026 10:17:19 GMT\r\n"
                            "content-type: application/problem+json\r\n"
                            "content-length: " +
                                std::to_string(expected.size()) +
                                "\r\n"
                                "cache-control: no-store\r\n"
                                "x-content-type-options: nosniff\r\n"
                                "x-request-id: r-1\r\n");
}

TEST_CASE("A person is told in HTML", "[site][error]")
{
    CHECK(body({.reason = Reason::app_timeout, .form = AnswerForm::html, .request_id = "r-1"}) ==
          "<!doctype html>\n<html lang=\"en\">\n"
          "<head><meta charset=\"utf-8\"><title>504 Gateway Timeout</title></head>\n"
          "<body>\n<h1>504 Gateway Timeout</h1>\n<p>The service took too long to answer.</p>\n"
          "<p>Request <code>r-1</code></p>\n</body>\n</html>\n");
    CHECK_THAT(fields({.reason = Reason::app_timeout, .form = AnswerForm::html}),
               Catch::Contains("\r\ncontent-type: text/html; charset=utf-8\r\n"));
}

TEST_CASE("Who is to come again is told when", "[site][error]")
{
    CHECK_THAT(fields({.reason = Reason::over_limit}), Catch::Contains("\r\nretry-after: 5\r\n"));
    CHECK_THAT(fields({.reason = Reason::draining}), Catch::Contains("\r\nretry-after: 5\r\n"));
    CHECK_THAT(fields({.reason = Reason::app_refused}), !Catch::Contains("retry-after"));
}

TEST_CASE("A refused request has the status of its rule", "[site][error]")
{
    const auto [refusal, line] = GENERATE(table<http::Refusal, std::string>({
        {http::Refusal::bare_lf, R"({"status":400,"title":"Bad Request")"},
        {http::Refusal::target_too_long, R"({"status":414,"title":"URI Too Long")"},
        {http::Refusal::unknown_expectation, R"({"status":417,"title":"Expectation Failed")"},
        {http::Refusal::head_too_large, R"({"status":431,"title":"Request Header Fields Too Large")"},
        {http::Refusal::method_too_long, R"({"status":501,"title":"Not Implemented")"},
        {http::Refusal::unsupported_version, R"({"status":505,"title":"HTTP Version Not Supported")"},
    }));
    const ErrorAnswer answer{.reason = Reason::client_malformed, .status = http::facts(refusal).status};
    CHECK_THAT(body(answer), Catch::StartsWith(line));
}

TEST_CASE("A head that is too large is answered with its largest field's name and size", "[site][error]")
{
    const ErrorAnswer answer{
        .reason = Reason::client_malformed, .status = 431, .field = "Cookie", .field_size = 70'000};
    CHECK(body(answer) ==
          R"({"status":431,"title":"Request Header Fields Too Large","detail":"The header fields of the request are )"
          R"(larger than what is accepted here.","largest_field":"Cookie","largest_field_bytes":70000})"
          "\n");
    ErrorAnswer page = answer;
    page.form = AnswerForm::html;
    CHECK_THAT(body(page), Catch::Contains("<p>The largest is Cookie: 70000 bytes.</p>"));
    page.field = {};
    CHECK_THAT(body(page), Catch::Contains("<p>The largest is one without a valid name: 70000 bytes.</p>"));
}

TEST_CASE("What others chose can neither end a head nor become markup", "[site][error]")
{
    const std::string_view hostile = "<script>\"&\r\nSet-Cookie: a=b\r\n\r\n";
    ErrorAnswer answer{.reason = Reason::no_route, .request_id = hostile};
    CHECK_THAT(fields(answer), !Catch::Contains("Set-Cookie") && !Catch::Contains("x-request-id"));
    CHECK_THAT(body(answer), Catch::Contains(R"("request_id":"<script>\"&\r\nSet-Cookie: a=b\r\n\r\n")"));
    answer.form = AnswerForm::html;
    CHECK_THAT(body(answer), Catch::Contains("<code>&lt;script&gt;&quot;&amp;") && !Catch::Contains("<script"));
}

TEST_CASE("No answer tells the reason of the log, nor names us or the app", "[site][error]")
{
    for (unsigned i = 1; i <= static_cast<unsigned>(Reason::internal_error); ++i) {
        const auto reason = static_cast<Reason>(i);
        if (!facts(reason).is_answered) continue;
        for (const AnswerForm form : {AnswerForm::html, AnswerForm::json}) {
            const std::string text = body({.reason = reason, .form = form});
            CHECK_THAT(text, !Catch::Contains(std::string{facts(reason).name}) && !Catch::Contains("app") &&
                                 !Catch::Contains("allyport") && !Catch::Contains("upstream"));
        }
    }
}

TEST_CASE("What a listener adds to every answer is on this one too, and there is room for all of it", "[site][error]")
{
    const std::array added{http::Line{"strict-transport-security", "max-age=1"}, http::Line{"x-a", "b"}};
    CHECK_THAT(fields({.reason = Reason::draining, .request_id = "r", .added = added}),
               Catch::Contains("\r\nstrict-transport-security: max-age=1\r\nx-a: b\r\n"));
}

TEST_CASE("Over HTTP/2 the same fields are in lower case, and none speaks of the connection", "[site][error]")
{
    const ErrorAnswer answer{.reason = Reason::draining, .now = kNow, .request_id = "r"};
    const ErrorFields made{answer, 1234};
    std::string names;
    for (const http::Line& line : made.lines())
        names.append(line.name).append(" ");
    CHECK(names == "date content-type content-length cache-control x-content-type-options retry-after x-request-id ");
    CHECK(made.lines()[2].value == "1234");
}

TEST_CASE("A date is that of RFC 9110", "[site][error]")
{
    const auto [seconds, expected] = GENERATE(table<std::int64_t, std::string>({
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, // RFC 9110's own
        {1795342639, "Sun, 22 Nov 2026 10:17:19 GMT"},
        {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
    }));
    CHECK(HttpDate{std::chrono::system_clock::time_point{std::chrono::seconds{seconds}}}.text() == expected);
}
