#include "converse.hpp"

#include <utility>

#include "pump.hpp"
#include "tunnel.hpp"

namespace sallyport::proxy {

namespace {

/// Nobody needs more. Each costs the app little, and the shard's other connections their turn.
constexpr std::uint16_t kInterimMax = 100;

bool send_request(Exchange& x)
{
    const auto arrived = x.client.arrived();
    if (!arrived) {
        x.fail(arrived.error());
        return false;
    }
    site::RequestEdits& edits = x.shard().bench().request_edits;
    edits.prepare(*x.route, x.request, x.connection.facts, x.seed());
    x.buffers.request_id.assign(edits.request_id());
    x.account.from_client += arrived->bytes.size();
    if (x.account.from_client > x.connection.http().body_bytes_max) {
        x.fail(site::Reason::body_too_large);
        return false;
    }
    if (const auto sent = x.app->request(x.request, edits.edits(), *arrived); !sent) {
        x.fail(sent.error());
        return false;
    }
    return true;
}

void await_response(Exchange& x)
{
    x.account.asked = x.shard().loop().now();
    x.enter(Phase::response_head, x.connection.http().response_ms);
}

net::Task<void> upload(Exchange& x)
{
    const Flow flow{x.client, *x.app, x.account.from_client, true};
    x.await_app();
    bool sent = co_await send_held(x, flow);
    if (sent && !x.client.request_ended()) sent = co_await pump(x, flow);
    if (!sent && x.failed()) x.stop(x.reason());
    if (x.account.status == 0 && !x.upload_is_over()) await_response(x); // also of an app that takes no more
}

enum class Next : std::uint8_t { wait, flush, body, tunnel, end, failed };

/// To a client of HTTP/2 a 2xx would be the tunnel (RFC 8441 §5); an app that has answered the upgrade by a page has
/// not made one.
bool mistakes_upgrade(const Exchange& x, const http::ResponseHead& head)
{
    const bool extended_connect = x.request.version == http::Version::http2 && !x.request.upgrade.empty();
    return extended_connect && head.status >= 200 && head.status < 300;
}

/// The final head and what has come with it, in one write.
Next forward_response(Exchange& x, const AppStream::Head& got)
{
    const bool switches = got.head->status == 101;
    if (switches && x.request.upgrade.empty()) {
        x.fail(site::Reason::app_malformed, "101 without an upgrade");
        return Next::failed;
    }
    if (switches && (!x.client.request_ended() || x.app->holds())) {
        x.fail(site::Reason::app_malformed, "101 before the end of the request");
        return Next::failed;
    }
    if (mistakes_upgrade(x, *got.head)) {
        x.fail(site::Reason::app_malformed, "2xx to an extended CONNECT");
        return Next::failed;
    }
    x.account.status = got.head->status;
    x.account.answered = x.shard().loop().now();
    x.account.to_client += got.first.bytes.size();
    const auto sent = x.client.respond(*got.head, x.route->headers.response(), got.first);
    if (!sent) {
        x.fail(sent.error());
        return Next::failed;
    }
    if (switches) {
        begin_tunnel(x);
        return Next::tunnel;
    }
    x.enter(Phase::response_body, x.connection.limits().idle_ms);
    if (!got.first.end) return Next::body;
    return x.client.holds() ? Next::flush : Next::end;
}

/// An HTTP/1.0 client knows nothing of interim responses (RFC 9110 §15.2).
Next forward_interim(Exchange& x, const http::ResponseHead& head)
{
    if (++x.account.interims > kInterimMax) { // which do not lengthen the wait for the response
        x.fail(site::Reason::app_malformed, "too many interim responses");
        return Next::failed;
    }
    if (x.request.version == http::Version::http10) return Next::wait;
    if (const auto sent = x.client.respond(head, x.route->headers.response(), {}); !sent) {
        x.fail(sent.error());
        return Next::failed;
    }
    return Next::wait;
}

Next forward_head(Exchange& x)
{
    for (;;) {
        const auto got = x.app->receive_head();
        if (!got) {
            x.fail(got.error());
            return Next::failed;
        }
        if (got->head == nullptr) return Next::wait;
        if (!got->head->is_interim()) return forward_response(x, *got);
        if (forward_interim(x, *got->head) == Next::failed) return Next::failed;
        if (x.client.holds()) {
            x.app->keep();
            return Next::wait;
        }
    }
}

net::Task<Next> download(Exchange& x)
{
    const Flow flow{*x.app, x.client, x.account.to_client, false};
    Next next = Next::wait;
    while (next == Next::wait) {
        if (x.client.holds()) {
            const bool sent = co_await send_held(x, flow);
            if (!sent) co_return Next::failed;
        }
        const bool readable = co_await x.app->readable();
        if (!readable || x.over()) co_return Next::failed;
        if (x.client.broken()) {
            x.fail(site::Reason::client_left);
            co_return Next::failed;
        }
        next = forward_head(x);
    }
    if (next == Next::body || next == Next::flush) {
        bool sent = co_await send_held(x, flow);
        if (sent && next == Next::body) sent = co_await pump(x, flow);
        if (!sent) co_return Next::failed;
    }
    co_return next;
}

} // namespace

net::Task<void> converse(Exchange& x)
{
    if (!send_request(x)) co_return;
    Next next{};
    if (x.client.request_ended() && !x.app->holds()) {
        await_response(x);
        next = co_await download(x);
    } else {
        auto uploading = upload(x);
        uploading.start();
        next = co_await download(x);
        if (next != Next::tunnel) x.stop_upload(); // a tunnel begins when all of it has gone out
        co_await std::move(uploading);
    }
    if (next == Next::tunnel) co_await tunnel(x);
}

} // namespace sallyport::proxy
