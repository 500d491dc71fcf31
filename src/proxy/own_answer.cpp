#include "own_answer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <string>
#include <vector>

#include "sallyport/site/error_answer.hpp"
#include "sallyport/site/redirect.hpp"

namespace sallyport::proxy {

namespace {

bool can_be_told(const Exchange& x)
{
    return x.account.status == 0 && site::facts(x.reason()).is_answered && !x.client.broken() &&
           !x.client.watch().cancelled() && !x.client.holds();
}

bool send(Exchange& x, std::uint16_t status, std::span<const http::Line> lines, std::string_view body)
{
    http::ResponseHead head;
    head.status = x.account.status = status;
    head.reason = site::status_text(status);
    const bool to_head = x.request.method == http::Method::head;
    const std::string_view sent_body = to_head ? std::string_view{} : body;
    x.account.answered = x.shard().loop().now();
    x.account.to_client += sent_body.size();
    // What comes of the request's body is not waited for.
    if (!x.client.request_ended() || x.refused()) x.client.end_after_response();
    const Piece all{.bytes = std::as_bytes(std::span{sent_body}), .end = true};
    return x.client.respond(head, {.added = lines}, all).has_value();
}

/// The id that the app has seen, or would have.
std::string_view request_id_of(Exchange& x)
{
    std::string& id = x.buffers.request_id;
    if (!id.empty()) return id;
    std::array<char, 32> made;
    site::write_request_id(x.seed(), made);
    return id.assign(made.data(), made.size());
}

bool send_error(Exchange& x)
{
    site::ErrorAnswer answer{.reason = x.reason(),
                             .form = site::answer_form(x.request.fields),
                             .now = std::chrono::system_clock::now(),
                             .request_id = request_id_of(x),
                             .added = x.connection.site().own_answer_lines()};
    if (x.refused()) {
        answer.status = http::facts(x.refused()->reason).status;
        answer.field = x.refused()->field;
        answer.field_size = x.refused()->field_size;
    }
    std::string body;
    site::append_error_body(body, answer);
    const site::ErrorFields fields{answer, body.size()};
    return send(x, site::status_of(answer), fields.lines(), body);
}

bool send_redirect(Exchange& x)
{
    std::string location;
    if (!site::append_location(location, x.request, x.connection.site().redirect_port())) {
        x.refuse({http::Refusal::missing_host});
        return send_error(x);
    }
    std::vector lines{http::Line{"location", location}, http::Line{"content-length", "0"}};
    std::ranges::copy(x.connection.site().own_answer_lines(), std::back_inserter(lines));
    return send(x, site::kRedirectStatus, lines, {});
}

} // namespace

net::Task<void> answer_ourselves(Exchange& x)
{
    if (x.failed() && !can_be_told(x)) {
        x.client.abort();
        co_return;
    }
    const bool sent = x.failed() ? send_error(x) : send_redirect(x);
    if (!sent) {
        x.client.abort();
        co_return;
    }
    x.begin_answer();
    while (x.client.holds()) {
        const bool writable = co_await x.client.writable();
        const bool goes_on = writable && !x.over() && !x.client.broken();
        if (!goes_on || !x.client.send_held()) {
            x.client.abort();
            co_return;
        }
    }
}

} // namespace sallyport::proxy
