#include "sallyport/admin/answers.hpp"

#include <algorithm>
#include <array>

#include "sallyport/http/request_head.hpp"
#include "sallyport/metrics/families.hpp"

namespace sallyport::admin {

namespace {

struct Path {
    std::string_view text;
    Page page;
};
constexpr std::array kPaths{Path{"/healthz", Page::health}, Path{"/readyz", Page::readiness},
                            Path{"/metrics", Page::metrics}, Path{"/status", Page::status}};

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kMetrics = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kJson = "application/json";

std::string_view status_line(std::uint16_t status)
{
    switch (status) {
    case 200:
        return "200 OK";
    case 404:
        return "404 Not Found";
    case 405:
        return "405 Method Not Allowed";
    case 503:
        return "503 Service Unavailable";
    default:
        return "400 Bad Request";
    }
}

std::string response(std::uint16_t status, std::string_view type, std::string_view body, bool wants_body)
{
    std::string out = "HTTP/1.1 " + std::string{status_line(status)} + "\r\ncontent-type: " + std::string{type} +
                      "\r\ncontent-length: " + std::to_string(body.size()) +
                      "\r\ncache-control: no-store\r\nconnection: close\r\n";
    if (status == 405) out += "allow: GET, HEAD\r\n";
    out += "\r\n";
    if (wants_body) out += body;
    return out;
}

std::string list_of(const std::vector<std::string>& reasons)
{
    std::string text;
    for (const std::string& reason : reasons)
        text += reason + "\n";
    return text;
}

std::string health(bool wants_body, const std::vector<std::size_t>& silent)
{
    if (silent.empty()) return response(200, kPlain, "healthy\n", wants_body);
    std::string text = "unhealthy: no answer from shard";
    for (const std::size_t shard : silent)
        text += " " + std::to_string(shard);
    return response(503, kPlain, text + "\n", wants_body);
}

std::string readiness(bool wants_body, const std::vector<std::string>& unready)
{
    if (unready.empty()) return response(200, kPlain, "ready\n", wants_body);
    return response(503, kPlain, list_of(unready), wants_body);
}

} // namespace

Asked parse(std::string_view head)
{
    http::RequestHead request;
    if (!http::parse_request(head, kHeadLimits, request)) return {.page = std::nullopt, .refusal = 400};
    const bool wants_body = request.method != http::Method::head;
    if (request.method != http::Method::get && request.method != http::Method::head)
        return {.page = std::nullopt, .wants_body = wants_body, .refusal = 405};
    const std::string_view path = request.path.substr(0, request.path.find('?'));
    const auto known = std::ranges::find(kPaths, path, &Path::text);
    if (known == kPaths.end()) return {.page = std::nullopt, .wants_body = wants_body, .refusal = 404};
    return {.page = known->page, .wants_body = wants_body};
}

std::string refuse(std::uint16_t status, bool wants_body)
{
    if (status != 404) return response(status, kPlain, std::string{status_line(status)} + "\n", wants_body);
    return response(status, kPlain, "there are /healthz, /readyz, /metrics and /status\n", wants_body);
}

std::string answer(Page page, bool wants_body, View& view, const std::vector<std::size_t>& silent)
{
    switch (page) {
    case Page::health:
        return health(wants_body, silent);
    case Page::readiness:
        return readiness(wants_body, view.unready());
    case Page::metrics:
        return response(200, kMetrics, metrics::exposition(metrics::families_of(view.status().picture)), wants_body);
    case Page::status:
        break;
    }
    return response(200, kJson, status_json(view.status()), wants_body);
}

} // namespace sallyport::admin
