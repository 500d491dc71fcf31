// The life of one connection. Read `run` top to bottom: each paragraph is a stage.
#include "connection.hpp"

#include <array>
#include <utility>

#include "access_line.hpp"
#include "plain_http.hpp"
#include "relay.hpp"
#include "sallyport/net/connect.hpp"

namespace sallyport::proxy {

namespace {

net::Task<Result<void>> connect_to_app(Connection& c)
{
    auto fd = net::make_socket(c.upstream.address);
    if (!fd) co_return std::unexpected{fd.error()};
    c.app.emplace(std::move(*fd), Side::upstream, c.loop(), c.budget());
    co_return co_await net::connect(*c.app, c.upstream.address, c.loop());
}

net::Task<void> run(Connection& c)
{
    c.enter(Stage::handshake, c.limits().handshake_ms);
    if (!c.went_well(c.client.socket().open())) co_return;
    if (const auto shaken = co_await c.client.handshake(); !c.went_well(shaken)) co_return;

    c.enter(Stage::connect, c.limits().connect_ms);
    if (const auto connected = co_await connect_to_app(c); !c.went_well(connected)) co_return;

    c.enter(Stage::relay, c.limits().idle_ms);
    co_await relay(c);
}

// A failed handshake ends with the alert that says why; everything else that fails must not look orderly.
void close(Connection& c, const Result<void>& outcome)
{
    if (outcome) return;
    if (c.stage() != Stage::handshake)
        c.reset_both();
    else if (c.client.reason() == kPlainHttp)
        answer_plain_http(c.client.socket());
}

void end(Connection& c)
{
    const Result<void> outcome = c.outcome();
    close(c, outcome);
    c.shard.count_end(c.was_cut());
    write_access_line(c, outcome);
}

} // namespace

net::Detached serve_connection(Shard& shard, const Listener& listener, UniqueFd accepted, PeerAddress peer)
{
    Connection c{shard, listener, std::move(accepted), peer};
    co_await run(c);
    end(c);
}

Connection::Connection(Shard& owner, const Listener& listener, UniqueFd accepted, const PeerAddress& address)
    : shard{owner},
      upstream{*listener.upstream},
      bind{listener.bind},
      peer{address},
      began{owner.loop_.now()},
      client{std::move(accepted), listener.contexts.new_session(), owner.scratch_, owner.loop_, owner.budget_}
{
    shard.enlist(*this);
}

Connection::~Connection()
{
    shard.dismiss(*this);
}

void Connection::enter(Stage stage, std::uint32_t limit_ms)
{
    stage_ = stage;
    limit_ms_ = limit_ms;
    loop().arm(*this, loop().now() + limit_ms);
}

// The waiters are all taken before the first is resumed: the connection ends when the last of them has unwound.
void Connection::cancel()
{
    std::array<net::Watch::Waiters, 2> waiting{client.socket().cancel(), {}};
    if (app) waiting[1] = app->cancel();
    for (const net::Watch::Waiters& waiters : waiting) {
        for (const std::coroutine_handle<> waiter : waiters) {
            if (waiter) waiter.resume();
        }
    }
}

void Connection::cut()
{
    cut_ = true;
    cancel();
}

bool Connection::went_well(const Result<void>& step)
{
    if (!step) note(step.error());
    return step.has_value();
}

void Connection::note(const Error& failure)
{
    if (!cause_) cause_ = failure;
}

void Connection::end_both(const Error& cause)
{
    if (!ending_) cause_ = cause;
    ending_ = true;
    cancel();
}

void Connection::expired()
{
    end_both({Fault::timeout, stage_ == Stage::connect ? Side::upstream : Side::client, "waiting"});
}

Result<void> Connection::outcome() const
{
    if (cut_) return fail(Fault::aborted, Side::self, "draining");
    if (cause_) return std::unexpected{*cause_};
    return {};
}

void Connection::reset_both()
{
    client.socket().reset_on_close();
    if (app) app->reset_on_close();
}

std::string PeerAddress::text() const
{
    const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage), size);
    return address ? address->text() : "unix:";
}

std::string_view name(Stage stage)
{
    switch (stage) {
    case Stage::handshake:
        return "handshake";
    case Stage::connect:
        return "connect";
    case Stage::relay:
        return "relay";
    }
    return "relay";
}

} // namespace sallyport::proxy
