#include "http_connection.hpp"

#include <algorithm>
#include <utility>

#include "appetite.hpp"
#include "connection_line.hpp"
#include "http1_connection.hpp"
#include "http2_connection.hpp"

namespace sallyport::proxy {

namespace {

/// A Unix socket that a PROXY header speaks of is another machine's: it is nobody's word that counts.
site::ClientFacts facts_of(const HttpConnection& c)
{
    const SocketAddress client = c.peer.address();
    if (c.introduction && client.is_unix()) return {client, false};
    return c.site().client_facts(client);
}

std::uint32_t linger_limit(const HttpConnection& c, std::uint32_t configured_ms)
{
    return c.shard.draining() ? std::min(configured_ms, c.http().close_ms) : configured_ms;
}

net::Task<void> drop_what_comes(HttpConnection& c)
{
    const net::Tick began = c.loop().now();
    c.enter(Stage::closing, linger_limit(c, c.http().linger_idle_ms));
    for (std::size_t dropped = 0; c.loop().now() - began < linger_limit(c, c.http().linger_all_ms);) {
        const bool readable = co_await c.client.readable();
        if (!readable) co_return;
        const auto got = c.client.receive(tls::Scratch::kCipherIn);
        if (!got || got->end) co_return;
        if (!got->bytes.empty()) c.touch();
        dropped += got->bytes.size();
        if (dropped >= kTurnBytes) {
            co_await net::Yield{c.loop()};
            dropped = 0;
        }
    }
}

} // namespace

net::Detached serve_http(Shard& shard, const Listener& listener, UniqueFd accepted, PeerAddress peer)
{
    HttpConnection c{shard, listener, std::move(accepted), peer};
    const bool welcomed = co_await welcome(c);
    if (welcomed) c.facts = facts_of(c);
    if (welcomed && c.client.protocol() == "h2")
        co_await serve_http2(c);
    else if (welcomed)
        co_await serve_http1(c);
    else
        end_handshake(c);
    count_end(c, c.outcome());
    if (c.requests == 0 && !c.outcome()) write_connection_line(c, c.outcome(), {});
}

net::Task<void> say_goodbye(HttpConnection& c, bool lingers)
{
    c.enter(Stage::closing, c.http().close_ms);
    if (!c.client.send_close_notify()) co_return;
    while (c.client.holds()) {
        const bool writable = co_await c.client.socket().writable();
        if (!writable || !c.client.socket().send_held()) co_return;
    }
    c.client.socket().finish_writing();
    if (lingers) co_await drop_what_comes(c);
}

HttpConnection::HttpConnection(Shard& owner, const Listener& from, UniqueFd accepted, const PeerAddress& address)
    : Connection{owner, from, std::move(accepted), address}
{
}

void HttpConnection::cancel()
{
    if (session != nullptr)
        session->cancel();
    else
        resume_all(client.socket().cancel());
}

void HttpConnection::drain()
{
    if (session != nullptr) session->drain();
}

void HttpConnection::expired()
{
    if (session != nullptr)
        session->expired();
    else
        Connection::expired();
}

} // namespace sallyport::proxy
