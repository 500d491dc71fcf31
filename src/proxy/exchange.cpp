// The life of one exchange. Read `serve_exchange` top to bottom: each line is a stage.
#include "exchange.hpp"

#include <array>
#include <utility>

#include "converse.hpp"
#include "exchange_line.hpp"
#include "failure.hpp"
#include "frame_guard.hpp"
#include "http2_apps.hpp"
#include "own_answer.hpp"
#include "proxy_header.hpp"
#include "routing.hpp"
#include "sallyport/http/websocket_frames.hpp"

namespace sallyport::proxy {

namespace {

bool is_grpc(const http::RequestHead& head)
{
    const http::Field* const type = head.fields.find(http::FieldName::content_type);
    return type != nullptr && type->value.starts_with("application/grpc");
}

/// nullptr: it has failed.
net::Task<upstream::AppConnectionPtr> connect(Exchange& x, upstream::Upstream& upstream)
{
    x.enter(Phase::connect, x.connection.limits().connect_ms);
    const net::Tick before = x.shard().loop().now();
    upstream::Attempt attempt;
    x.attempt = &attempt;
    auto connected = co_await upstream.connect(attempt);
    x.attempt = nullptr;
    x.account.connect_ms += x.shard().loop().now() - before;
    x.account.connected = true;
    if (connected) {
        const auto introduced = send_proxy_header(x.connection, upstream, (*connected)->socket());
        if (introduced) co_return std::move(*connected);
        connected = std::unexpected{introduced.error()};
    }
    x.fail(connected.error());
    co_return nullptr;
}

/// By a connection of its own. False: it has failed.
net::Task<bool> reach_http1(Exchange& x, upstream::Upstream& upstream)
{
    auto connected = co_await connect(x, upstream);
    if (connected == nullptr) co_return false;
    x.use_app(upstream, std::move(connected));
    co_return true;
}

/// Until somebody else has connected, or failed to, or a connection is settled. False: over.
net::Task<bool> wait_in_line(Exchange& x, Http2Apps& apps)
{
    if (x.phase() != Phase::connect) x.enter(Phase::connect, x.connection.limits().connect_ms);
    net::Watch watch;
    x.line = &watch;
    apps.join(watch);
    const bool woken = co_await watch.readable_if(false);
    apps.leave(watch);
    x.line = nullptr;
    co_return woken && !x.over();
}

/// Whether a WebSocket can be a tunnel the app's SETTINGS tell, which are the first that it says (RFC 9113 §3.4).
bool asks_too_early(const Exchange& x, const Http2AppConnection& app)
{
    return http::is_websocket(x.request.upgrade) && !app.is_settled();
}

/// By a stream of a connection that others use too. False: it has failed.
net::Task<bool> reach_http2(Exchange& x, upstream::Upstream& upstream)
{
    Http2Apps& apps = x.shard().http2_apps(x.route->upstream);
    Http2AppConnection* with_room = apps.find();
    while (with_room == nullptr && apps.is_connecting()) {
        const bool goes_on = co_await wait_in_line(x, apps);
        if (!goes_on) co_return false;
        with_room = apps.find();
    }
    const bool connects = with_room == nullptr;
    if (connects) {
        apps.begin_connecting();
        auto connected = co_await connect(x, upstream);
        if (connected != nullptr) with_room = &apps.add(std::move(connected));
    }
    if (with_room != nullptr) x.use_app(*with_room);
    if (connects) apps.end_connecting(); // who waited finds room after us
    if (with_room == nullptr) co_return false;
    while (asks_too_early(x, *with_room)) {
        const bool goes_on = co_await wait_in_line(x, apps);
        if (!goes_on) co_return false;
    }
    co_return true;
}

/// By a connection that is there. A coroutine less for nearly every exchange.
bool reach_at_once(Exchange& x, upstream::Upstream& upstream)
{
    if (upstream.protocol() == ipc::AppProtocol::h2c) {
        Http2Apps& apps = x.shard().http2_apps(x.route->upstream);
        Http2AppConnection* const with_room = apps.find();
        if (with_room == nullptr || asks_too_early(x, *with_room)) return false;
        apps.spread();
        x.use_app(*with_room);
        return true;
    }
    if (x.account.replayed) return false;
    auto idle = upstream.take_idle();
    if (idle == nullptr) return false;
    x.use_app(upstream, std::move(idle));
    return true;
}

/// False: it has failed.
net::Task<bool> reach_app(Exchange& x, upstream::Upstream& upstream)
{
    return upstream.protocol() == ipc::AppProtocol::h2c ? reach_http2(x, upstream) : reach_http1(x, upstream);
}

void count(const Exchange& x)
{
    metrics::ShardFigures& figures = x.shard().figures();
    figures.exchanges[metrics::status_slot(x.account.status)].add();
    figures.exchange_time.add(x.shard().loop().now() - x.account.began);
    if (x.failed()) figures.exchange_failures[static_cast<std::size_t>(x.reason())].add();
}

} // namespace

net::Task<void> serve_exchange(Exchange& x)
{
    if (choose_route(x)) {
        upstream::Upstream& upstream = x.shard().upstream(x.route->upstream);
        x.account.upstream = upstream.name();
        do {
            bool reached = reach_at_once(x, upstream);
            if (!reached) reached = co_await reach_app(x, upstream);
            if (reached && x.client.broken()) x.fail(site::Reason::client_left);
            if (reached && !x.failed()) co_await converse(x);
        } while (x.begin_replay());
    }
    if (x.failed() || x.route == nullptr || x.route->action == site::Route::Action::redirect) {
        if (x.failed() && x.app != nullptr) x.app->abort();
        co_await answer_ourselves(x);
    }
    count(x);
    write_exchange_line(x);
    x.leave_app();
}

Exchange::Exchange(HttpConnection& owner, ClientStream& stream, const http::RequestHead& head, ExchangeBuffers& lent,
                   std::uint64_t which)
    : connection{owner},
      client{stream},
      request{head},
      buffers{lent},
      account{.number = which, .began = owner.loop().now()},
      pace_{owner.http()},
      grpc_{is_grpc(head)},
      seed_{owner.shard.bench().request_seed()}
{
    buffers.request_id.clear();
}

Exchange::~Exchange() = default;

void Exchange::refuse(const http::Refused& refused)
{
    if (!failed()) refused_ = refused;
    fail(site::Reason::client_malformed, http::facts(refused.reason).name);
}

void Exchange::enter(Phase phase, std::uint32_t limit_ms)
{
    phase_ = phase;
    limit_ms_ = limit_ms;
    shard().loop().arm(*this, shard().loop().now() + limit_ms);
}

void Exchange::await_body()
{
    waiting_since_ = shard().loop().now();
    if (phase_ == Phase::tunnel || account.status != 0) return;
    enter(Phase::request_body, grpc_ ? connection.limits().idle_ms : pace_.patience_ms());
}

void Exchange::took_body(std::uint64_t bytes)
{
    pace_.waited(shard().loop().now() - waiting_since_, bytes);
}

void Exchange::await_app()
{
    if (phase_ != Phase::tunnel && account.status == 0) enter(Phase::request_body, connection.limits().idle_ms);
}

void Exchange::fail(site::Reason reason, std::string_view detail)
{
    if (failed()) return;
    reason_ = reason;
    detail_ = detail;
}

void Exchange::fail(const Error& error)
{
    if (error.side == Side::client && error.fault == Fault::malformed)
        if (const auto refusal = client.refusal()) return refuse({*refusal});
    fail(reason_of(error, *this), error.doing);
}

// The client's waiters are woken, not cancelled: an answer of our own may still have to go out.
void Exchange::stop(site::Reason reason)
{
    fail(reason);
    const std::array waiting{client.watch().wake(), cancel()};
    resume_all(waiting);
}

net::Watch::Waiters Exchange::cancel()
{
    fail(connection.was_cut() ? site::Reason::cut : site::Reason::client_left);
    over_ = true;
    if (attempt != nullptr) return attempt->cancel();
    if (line != nullptr) return line->cancel();
    return app != nullptr ? app->watch().cancel() : net::Watch::Waiters{};
}

// What the client's socket does not take at once goes out before the next frame.
void Exchange::drain()
{
    client.end_after_response();
    if (guard != nullptr && !shard().replaced() && !guard->go_away(client)) stop(site::Reason::client_left);
}

void Exchange::begin_answer()
{
    over_ = false;
    enter(Phase::response_body, connection.limits().idle_ms);
}

void Exchange::stop_upload()
{
    upload_stopped_ = true;
    std::array<net::Watch::Waiters, 2> waiting{client.watch().wake(), {}};
    if (app != nullptr) waiting[1] = app->watch().wake();
    resume_all(waiting);
}

void Exchange::expired()
{
    const site::Reason why = what_expired();
    const bool by_app = why == site::Reason::app_timeout || why == site::Reason::app_stalled;
    if (by_app && app != nullptr) app->let_time_pass(shard().loop().now() - limit_ms_);
    stop(why);
}

site::Reason Exchange::what_expired() const
{
    switch (phase_) {
    case Phase::connect:
        return site::Reason::app_connect_timeout;
    case Phase::request_body:
        if (app->holds() || (request.expects_continue && account.interims == 0 && account.from_client == 0))
            return site::Reason::app_timeout;
        return pace_.reason();
    case Phase::response_body:
        return client.holds() ? site::Reason::client_stalled : site::Reason::app_stalled;
    case Phase::tunnel:
        return site::Reason::tunnel_idle;
    case Phase::begin:
    case Phase::response_head:
        break;
    }
    return site::Reason::app_timeout;
}

// RFC 9110 §9.2.2 lets a proxy repeat what is idempotent, on its own account. The one address that has just dropped it
// would do so again.
bool Exchange::begin_replay()
{
    const bool died = reason_ == site::Reason::app_reset || reason_ == site::Reason::app_closed;
    if (app == nullptr || !died) return false;
    const bool may_help = app->reused() || shard().upstream(route->upstream).has_several_addresses();
    const bool harmless = app->unprocessed() || (may_help && http::is_idempotent(request.method));
    if (over_ || account.replayed || !app->silent() || !harmless || account.from_client > 0) return false;
    leave_app();
    reason_ = site::Reason::none;
    detail_ = {};
    upload_stopped_ = false;
    account.replayed = true;
    return true;
}

void Exchange::use_app(upstream::Upstream& from, upstream::AppConnectionPtr taken)
{
    const Http1App::Surroundings around{connection.scratch(), connection.budget(), shard().bench().out};
    attach(http1_.emplace(from, std::move(taken), buffers.app, around, shard().bench().http_limits));
}

void Exchange::use_app(Http2AppConnection& shared)
{
    attach(http2_.emplace(shared));
}

void Exchange::attach(AppStream& stream)
{
    app = &stream;
    client.watch().set_partner(&app->watch());
}

void Exchange::leave_app()
{
    if (app == nullptr) return;
    client.watch().set_partner(nullptr);
    if (!failed()) app->finish();
    app = nullptr;
    http1_.reset();
    http2_.reset();
}

} // namespace sallyport::proxy
