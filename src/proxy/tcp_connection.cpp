// The life of one connection in `mode: tcp`. Read `run` top to bottom: each paragraph is a stage.
#include "tcp_connection.hpp"

#include <array>
#include <utility>

#include "connection_line.hpp"
#include "proxy_header.hpp"
#include "relay.hpp"

namespace sallyport::proxy {

namespace {

net::Task<Result<void>> connect_to_app(TcpConnection& c)
{
    upstream::Attempt attempt;
    c.attempt = &attempt;
    auto connected = co_await c.upstream.connect(attempt);
    c.attempt = nullptr;
    if (!connected) co_return std::unexpected{connected.error()};
    c.app = std::move(*connected);
    co_return send_proxy_header(c, c.upstream, c.app->socket());
}

net::Task<void> run(TcpConnection& c)
{
    const bool welcomed = co_await welcome(c);
    if (!welcomed) co_return;

    c.enter(Stage::connect, c.limits().connect_ms);
    const Result<void> connected = co_await connect_to_app(c);
    if (!c.went_well(connected)) co_return;

    c.enter(Stage::relay, c.limits().idle_ms);
    co_await relay(c);
}

// A failed handshake ends with the alert that says why; everything else that fails must not look orderly.
void end(TcpConnection& c)
{
    const Result<void> outcome = c.outcome();
    if (!outcome && c.stage() == Stage::handshake) end_handshake(c);
    if (!outcome && c.stage() != Stage::handshake) c.reset_both();
    count_end(c, outcome);
    write_connection_line(c, outcome, {c.upstream.name(), c.from_client, c.to_client});
}

} // namespace

net::Detached serve_tcp(Shard& shard, const Listener& listener, UniqueFd accepted, PeerAddress peer)
{
    TcpConnection c{shard, listener, std::move(accepted), peer};
    co_await run(c);
    end(c);
}

TcpConnection::TcpConnection(Shard& owner, const Listener& from, UniqueFd accepted, const PeerAddress& address)
    : Connection{owner, from, std::move(accepted), address}, upstream{owner.upstream(from.upstream)}
{
}

void TcpConnection::cancel()
{
    std::array<net::Watch::Waiters, 2> waiting{client.socket().cancel(), {}};
    if (attempt != nullptr) waiting[1] = attempt->cancel();
    if (app) waiting[1] = app->socket().cancel();
    resume_all(waiting);
}

void TcpConnection::reset_both()
{
    client.socket().reset_on_close();
    if (app) app->socket().reset_on_close();
}

} // namespace sallyport::proxy
