#include "proxy_header.hpp"

#include <string>

#include "sallyport/proxy_protocol/writer.hpp"

namespace sallyport::proxy {

namespace {

using proxy_protocol::Look;
using Kind = Look::Kind;

constexpr std::string_view kReading = "reading the PROXY header";

/// What to do next: wait for more, or begin.
enum class Next : std::uint8_t { wait, begin };

Result<Next> without_header(const Connection& c, std::string_view why)
{
    if (c.listener.proxy_headers.mode == ipc::ProxyHeader::optional) return Next::begin;
    return fail(Fault::malformed, Side::client, why);
}

/// Exactly its bytes leave the socket: what is behind them belongs to TLS or HTTP.
Result<Next> take(Connection& c, const proxy_protocol::Header& header)
{
    const auto got = c.client.socket().receive(c.scratch().plain().first(header.size));
    if (!got) return std::unexpected{got.error()};
    if (got->size != header.size) return fail(Fault::internal, Side::self, kReading);
    if (header.source) c.introduce(*header.source, *header.destination);
    return Next::begin;
}

/// Neither the header's end nor what follows: the same bytes are looked at again when more have come.
Result<Next> wait_for_more(Connection& c)
{
    net::Watch& watch = c.client.socket().watch();
    if (watch.peer_finished()) return without_header(c, "the client ended within its PROXY header");
    watch.clear_readable();
    return Next::wait;
}

Result<Next> look_at(Connection& c, std::span<const std::byte> bytes)
{
    const ProxyHeaders& headers = c.listener.proxy_headers;
    if (!headers.trusted.contains(c.peer.address()))
        return fail(Fault::forbidden, Side::client, "this peer is in no trusted network of proxy_protocol");
    const auto found = proxy_protocol::look(bytes, headers.rules);
    if (!found) return fail(Fault::malformed, Side::client, found.error());
    switch (found->kind) {
    case Kind::absent:
        return without_header(c, "the connection does not begin with a PROXY header");
    case Kind::partial:
        return wait_for_more(c);
    case Kind::whole:
        return take(c, found->header);
    }
    return Next::wait;
}

/// The bytes stay where they are until they are known to be a whole header. `heard`: there are some.
Result<Next> look(Connection& c, bool& heard)
{
    const std::size_t most = c.listener.proxy_headers.rules.size_max;
    const auto into = c.scratch().plain().first(most);
    const auto got = c.client.socket().peek(into);
    if (!got) return std::unexpected{got.error()};
    switch (got->kind) {
    case net::Arrival::Kind::nothing_yet:
        return Next::wait;
    case net::Arrival::Kind::end:
        if (c.listener.proxy_headers.mode == ipc::ProxyHeader::optional) return Next::begin;
        return fail(Fault::truncated, Side::client, kReading);
    case net::Arrival::Kind::bytes:
        break;
    }
    heard = true;
    return look_at(c, into.first(got->size));
}

proxy_protocol::Client client_of(Connection& c)
{
    const tls::HandshakeFacts facts = c.client.facts();
    proxy_protocol::Client client{.source = c.peer.address(), .destination = c.local_address()};
    client.alpn = facts.alpn;
    if (facts.sni == c.client.server_name()) client.authority = facts.sni; // else it is not printable
    if (c.client.encrypted())
        client.tls =
            proxy_protocol::TlsFacts{.version = facts.version, .cipher = c.client.cipher_name(), .group = facts.group};
    return client;
}

} // namespace

net::Task<Result<void>> receive_proxy_header(Connection& c)
{
    const ProxyHeaders& headers = c.listener.proxy_headers;
    const bool is_free = headers.mode == ipc::ProxyHeader::optional && !headers.trusted.contains(c.peer.address());
    bool heard = false; // else it is a probe
    for (Next next = is_free ? Next::begin : Next::wait; next == Next::wait;) {
        const bool readable = co_await c.client.socket().readable();
        if (!readable) co_return fail(Fault::aborted, Side::self, kReading);
        const auto looked = look(c, heard);
        if (!looked && heard) c.client.note_bytes();
        if (!looked) co_return std::unexpected{looked.error()};
        next = *looked;
    }
    co_return Result<void>{};
}

Result<void> send_proxy_header(Connection& c, const upstream::Upstream& upstream, net::Socket& app)
{
    const ipc::SentProxyHeader form = upstream.proxy_header();
    if (form == ipc::SentProxyHeader::none) return {};
    std::string& out = c.shard.bench().out;
    out.clear();
    if (form == ipc::SentProxyHeader::v1)
        proxy_protocol::append_v1(out, client_of(c));
    else
        proxy_protocol::append_v2(out, client_of(c), form == ipc::SentProxyHeader::v2_crc32c);
    return app.send(std::as_bytes(std::span{out}));
}

} // namespace sallyport::proxy
