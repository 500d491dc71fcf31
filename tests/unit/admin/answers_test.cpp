#include "sallyport/admin/answers.hpp"

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::admin;

namespace {

class StillView final : public View {
public:
    std::vector<std::string> reasons;

    std::vector<std::string> unready() override { return reasons; }
    Status status() override
    {
        Status status{.generation = 3, .unready = reasons, .listeners = {{":443", "http", true}}, .picture = {}};
        status.picture.upstreams.push_back(
            {.name = "a\"b", .addresses = {"127.0.0.1:1"}, .state = metrics::UpstreamFacts::State::down});
        return status;
    }
    void ask_shards() override {}
    std::vector<std::size_t> silent_shards() override { return {}; }
};

std::string body_of(const std::string& response)
{
    return response.substr(response.find("\r\n\r\n") + 4);
}

} // namespace

TEST_CASE("Each path is a page, by GET and by HEAD", "[admin]")
{
    const auto [path, page] = GENERATE(table<std::string, Page>({{"/healthz", Page::health},
                                                                 {"/readyz?x", Page::readiness},
                                                                 {"/metrics", Page::metrics},
                                                                 {"/status", Page::status}}));
    CHECK(parse("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n").page == page);
    const Asked head = parse("HEAD " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(head.page == page);
    CHECK_FALSE(head.wants_body);
}

TEST_CASE("What is not a page is refused", "[admin]")
{
    const auto [head, status] = GENERATE(table<std::string, std::uint16_t>({
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404},
        {"GET /healthz/ HTTP/1.1\r\nHost: a\r\n\r\n", 404},
        {"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", 405},
        {"GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    }));
    CAPTURE(head);
    const Asked asked = parse(head);
    CHECK_FALSE(asked.page);
    CHECK(asked.refusal == status);
}

TEST_CASE("A HEAD has the fields of a GET, and no body", "[admin]")
{
    StillView view;
    const std::string get = answer(Page::metrics, true, view, {});
    const std::string head = answer(Page::metrics, false, view, {});
    CHECK(get.starts_with(head));
    CHECK(body_of(head).empty());
    CHECK(get.find("content-length: " + std::to_string(body_of(get).size()) + "\r\n") != std::string::npos);
}

TEST_CASE("Readiness has a line for each reason", "[admin]")
{
    StillView view;
    CHECK(answer(Page::readiness, true, view, {}).starts_with("HTTP/1.1 200 "));
    view.reasons = {"draining", "waiting for upstream a"};
    const std::string response = answer(Page::readiness, true, view, {});
    CHECK(response.starts_with("HTTP/1.1 503 "));
    CHECK(body_of(response) == "draining\nwaiting for upstream a\n");
}

TEST_CASE("Health names the shards that are silent", "[admin]")
{
    StillView view;
    CHECK(body_of(answer(Page::health, true, view, {})) == "healthy\n");
    CHECK(body_of(answer(Page::health, true, view, {0, 3})) == "unhealthy: no answer from shard 0 3\n");
}

TEST_CASE("The status is JSON, whatever is in a name", "[admin]")
{
    StillView view;
    const std::string json = status_json(view.status());
    CHECK(json.find(R"("upstreams":[{"name":"a\"b","addresses":["127.0.0.1:1"],"state":"down"}])") !=
          std::string::npos);
    CHECK(json.find(R"("listeners":[{"bind":":443","mode":"http","tls":true}])") != std::string::npos);
    CHECK(json.find(R"("generation":3)") != std::string::npos);
}
