// Every row of tests/http/responses: how the app's response is read, and what the client gets.
#include "sallyport/http/response_head.hpp"

#include "sallyport/http/head_writer.hpp"
#include "support/catch.hpp"
#include "support/http_rows.hpp"

using namespace sallyport::http;
using namespace sallyport::http::test;

namespace {

/// The head as an HTTP/1.1 client gets it, or why not.
std::string verdict(std::string_view message, Method asked)
{
    HeadScanner scanner{{}};
    const auto size = scanner.look(message);
    if (!size) return "refused: " + std::string{facts(size.error().reason).name};
    if (*size == 0) return "incomplete";
    ResponseHead head;
    const auto accepted = parse_response(message.substr(0, *size), {}, asked, head);
    if (!accepted) return "refused: " + std::string{facts(accepted.error().reason).name};
    std::string out;
    write_response(out, head, {.framing = framing_for(Version::http11, head)});
    return out;
}

ResponseHead parsed(std::string_view message, Method asked = Method::get)
{
    ResponseHead head;
    REQUIRE(parse_response(message, {}, asked, head));
    return head;
}

} // namespace

TEST_CASE("What becomes of each response is what its row says", "[http][rows]")
{
    const std::vector<Row> rows = load_rows(SALLYPORT_SOURCE_DIR "/tests/http/responses");
    CHECK(rows.size() >= 60);
    for (const Row& row : rows) {
        INFO(row.says << " (RFC " << row.rfc << "): " << row.message);
        const std::string expected = row.incomplete        ? "incomplete"
                                     : row.refused.empty() ? *row.forwarded
                                                           : "refused: " + row.refused;
        CHECK(verdict(row.message, row.method == "HEAD" ? Method::head : Method::get) == expected);
    }
}

TEST_CASE("The end of a response is decided by status, method and fields, in this order", "[http][rfc9112-6.3]")
{
    using Kind = Framing::Kind;
    const auto [status, asked, fields, kind] = GENERATE(table<std::string, Method, std::string, Kind>({
        {"200", Method::get, "", Kind::until_close},
        {"200", Method::get, "Content-Length: 0\r\n", Kind::length},
        {"200", Method::get, "Content-Length: 7\r\n", Kind::length},
        {"200", Method::get, "Transfer-Encoding: chunked\r\n", Kind::chunked},
        {"200", Method::head, "", Kind::none},
        {"200", Method::head, "Content-Length: 7\r\n", Kind::none},
        {"200", Method::head, "Transfer-Encoding: chunked\r\n", Kind::none},
        {"304", Method::get, "Content-Length: 7\r\n", Kind::none},
        {"304", Method::get, "Transfer-Encoding: chunked\r\n", Kind::none},
        {"204", Method::get, "Content-Length: 7\r\n", Kind::none},
        {"204", Method::get, "", Kind::none},
        {"205", Method::get, "Content-Length: 0\r\n", Kind::length},
        {"100", Method::get, "Content-Length: 7\r\n", Kind::none},
        {"101", Method::get, "", Kind::none},
        {"103", Method::get, "Transfer-Encoding: chunked\r\n", Kind::none},
        {"500", Method::get, "", Kind::until_close},
    }));
    CAPTURE(status, fields);
    const std::string message = "HTTP/1.1 " + status + " x\r\n" + fields + "\r\n";
    CHECK(parsed(message, asked).framing.kind == kind);
}

TEST_CASE("The app's connection is used again only if it stays open", "[http][rfc9112-9.3]")
{
    const auto [message, stays] = GENERATE(table<std::string, bool>({
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true},
        {"HTTP/1.1 204 No\r\n\r\n", true},
        {"HTTP/1.1 200 OK\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", true},
        {"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n", false},
    }));
    CAPTURE(message);
    CHECK(parsed(message).keep_alive == stays);
}

TEST_CASE("An app announces how long it waits for the next request", "[http][keep-alive]")
{
    const auto [value, seconds] = GENERATE(table<std::string, int>({
        {"timeout=5", 5},
        {"timeout=5, max=100", 5},
        {"max=100,Timeout=72", 72},
        {"timeout=", -1},
        {"timeout=x", -1},
        {"timeout=5s", -1},
        {"timeout=99999999999", -1},
        {"max=5", -1},
    }));
    const std::string message = "HTTP/1.1 200 OK\r\nKeep-Alive: " + value + "\r\n\r\n";
    CAPTURE(value);
    CHECK(parsed(message).keep_alive_timeout.value_or(std::chrono::seconds{-1}).count() == seconds);
}
