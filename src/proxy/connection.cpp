#include "connection.hpp"

#include <cstring>
#include <utility>

#include <sys/socket.h>

#include "plain_http.hpp"
#include "proxy_header.hpp"

namespace sallyport::proxy {

Connection::Connection(Shard& owner, const Listener& from, UniqueFd accepted, const PeerAddress& address)
    : shard{owner},
      listener{from},
      peer{address},
      began{owner.loop().now()},
      client{std::move(accepted), from.contexts, owner.bench().scratch, owner.loop(), owner.bench().budget}
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

void Connection::introduce(const SocketAddress& by_header, const SocketAddress& local)
{
    introduction = std::make_unique<const Introduction>(Introduction{peer, local});
    peer = PeerAddress::from(by_header);
}

SocketAddress Connection::local_address()
{
    if (introduction) return introduction->local;
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    if (::getsockname(client.socket().fd(), reinterpret_cast<sockaddr*>(&local), &size) != 0) return {};
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&local), size).value_or(SocketAddress{});
}

Result<void> Connection::outcome() const
{
    if (cut_) return fail(Fault::aborted, Side::self, "draining");
    if (cause_) return std::unexpected{*cause_};
    return {};
}

namespace {

void count_handshake(Connection& c)
{
    metrics::ShardFigures& figures = c.shard.figures();
    const tls::HandshakeFacts facts = c.client.facts();
    figures.handshakes[metrics::slot_of({facts.version, facts.cipher, facts.group, facts.resumed})].add();
    figures.handshake_time.add(c.loop().now() - c.began);
}

/// A probe is none.
void count_failed_handshake(Connection& c)
{
    const Result<void> outcome = c.outcome();
    if (outcome || is_probe(c, outcome)) return;
    const std::string_view reason = c.client.reason().empty() ? name(outcome.error().fault) : c.client.reason();
    c.shard.figures().handshake_failures[metrics::failure_slot(reason)].add();
}

} // namespace

net::Task<bool> welcome(Connection& c)
{
    if (!c.went_well(c.client.socket().open())) co_return false;
    if (c.listener.proxy_headers.are_awaited()) {
        c.enter(Stage::proxy_header, c.listener.proxy_headers.timeout_ms);
        const Result<void> received = co_await receive_proxy_header(c);
        if (!c.went_well(received)) co_return false;
    }
    c.enter(Stage::handshake, c.limits().handshake_ms);
    const Result<void> shaken = co_await c.client.handshake();
    const bool went_well = c.went_well(shaken);
    if (c.client.encrypted()) went_well ? count_handshake(c) : count_failed_handshake(c);
    co_return went_well;
}

bool is_probe(const Connection& c, const Result<void>& outcome)
{
    if (!c.client.silent()) return false;
    return outcome || (outcome.error().side == Side::client && outcome.error().fault != Fault::timeout);
}

void count_end(Connection& c, const Result<void>& outcome)
{
    std::size_t slot = metrics::slot_of(metrics::End::orderly);
    if (c.was_cut())
        slot = metrics::slot_of(metrics::End::cut);
    else if (is_probe(c, outcome))
        slot = metrics::slot_of(metrics::End::probe);
    else if (!outcome)
        slot = metrics::slot_of(outcome.error());
    c.shard.figures().ended[slot].add();
}

void end_handshake(Connection& c)
{
    if (c.client.reason() == kPlainHttp) answer_plain_http(c.client.socket());
}

PeerAddress PeerAddress::from(const SocketAddress& address)
{
    PeerAddress made;
    made.size = address.is_unix() ? sizeof(sa_family_t) : address.size();
    std::memcpy(&made.storage, address.data(), made.size);
    return made;
}

SocketAddress PeerAddress::address() const
{
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage), size).value_or(SocketAddress{});
}

std::string PeerAddress::text() const
{
    const auto known = SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage), size);
    return known ? known->text() : "unix:";
}

std::string_view name(Stage stage)
{
    switch (stage) {
    case Stage::proxy_header:
        return "proxy_header";
    case Stage::handshake:
        return "handshake";
    case Stage::connect:
        return "connect";
    case Stage::relay:
        return "relay";
    case Stage::request_head:
        return "request_head";
    case Stage::idle:
        return "idle";
    case Stage::exchange:
        return "exchange";
    case Stage::closing:
        return "closing";
    }
    return "relay";
}

} // namespace sallyport::proxy
