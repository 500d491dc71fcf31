#include "relay.hpp"

#include <utility>

#include "appetite.hpp"

namespace sallyport::proxy {

namespace {

// What moves bytes is a plain function; the coroutines below only wait. So a frame holds little for as long as its
// connection lives: the two halves and the story took 2.1 KiB with their results in them, and take 1.3.

enum class Step : std::uint8_t { more, end, failed };

/// One direction's: how much it reads, and what it has moved in this turn.
struct Direction {
    Appetite appetite;
    std::uint32_t moved{0};

    void pass(std::size_t size, const net::Socket& to)
    {
        if (!to.holds()) appetite.fed(size);
        moved += static_cast<std::uint32_t>(size);
    }
};

/// An app that takes no more may still have an answer on the way: the other direction decides. A client that takes no
/// more ends both.
bool took(TcpConnection& c, const net::Socket& to, const Result<void>& sent)
{
    if (sent) return true;
    if (&to == &c.app->socket())
        c.note(sent.error());
    else
        c.end_both(sent.error());
    return false;
}

/// False: it failed, or was cancelled.
net::Task<bool> send_held(TcpConnection& c, net::Socket& to)
{
    while (to.holds()) {
        const bool writable = co_await to.writable();
        if (!writable) co_return false;
        if (c.client.socket().broken()) {
            c.end_both({Fault::reset, Side::client, "relaying"});
            co_return false;
        }
        if (!took(c, to, to.send_held())) co_return false;
        c.touch();
    }
    co_return true;
}

/// A client that ends without close_notify may have been cut short by anyone (RFC 8446 §6.1), so the app must not take
/// it for an orderly end; unless the app has finished already, and the client answers by leaving.
Step end_without_close_notify(TcpConnection& c, const Error& error)
{
    if (error.fault == Fault::truncated && c.app_finished) return Step::end;
    c.end_both(error);
    return Step::failed;
}

Step move_to_app(TcpConnection& c, Direction& way)
{
    const Result<tls::Plain> got = c.client.receive(way.appetite.size(c.budget()));
    if (!got) return end_without_close_notify(c, got.error());
    const Step next = got->end ? Step::end : Step::more;
    if (got->bytes.empty()) return next;
    c.touch();
    c.from_client += got->bytes.size();
    net::Socket& app = c.app->socket();
    if (!took(c, app, app.send(got->bytes))) return Step::failed;
    way.pass(got->bytes.size(), app);
    return next;
}

Step move_to_client(TcpConnection& c, Direction& way)
{
    net::Socket& client = c.client.socket();
    const auto into = c.scratch().plain().first(way.appetite.size(c.budget()));
    const Result<net::Arrival> got = c.app->socket().receive(into);
    if (!got) {
        c.end_both(got.error());
        return Step::failed;
    }
    if (got->kind == net::Arrival::Kind::end)
        return took(c, client, c.client.send_close_notify()) ? Step::end : Step::failed;
    if (got->kind == net::Arrival::Kind::nothing_yet) return Step::more;

    c.touch();
    c.to_client += got->size;
    if (!took(c, client, c.client.send(into.first(got->size)))) return Step::failed;
    way.pass(got->size, client);
    return Step::more;
}

net::Task<void> app_to_client(TcpConnection& c)
{
    net::Socket& client = c.client.socket();
    Direction way;
    for (Step step = Step::more; step == Step::more;) {
        const bool readable = co_await c.app->socket().readable();
        if (!readable) co_return;
        if (client.broken()) {
            c.end_both({Fault::reset, Side::client, "relaying"});
            co_return;
        }
        step = move_to_client(c, way);
        if (step == Step::failed) co_return;
        if (client.holds()) {
            const net::Tick since = c.loop().now();
            const bool sent = co_await send_held(c, client);
            if (!sent) co_return;
            way.appetite.held(c.loop().now() - since);
        }
        if (way.moved >= kTurnBytes) {
            co_await net::Yield{c.loop()};
            way.moved = 0;
        }
    }
    client.finish_writing();
    c.app_finished = true;
}

net::Task<void> client_to_app(TcpConnection& c, net::Task<void> back)
{
    Direction way;
    Step step = Step::more;
    while (step == Step::more) {
        const bool readable = co_await c.client.readable();
        if (!readable) break;
        step = move_to_app(c, way);
        if (step != Step::failed && c.app->socket().holds()) {
            const net::Tick since = c.loop().now();
            const bool sent = co_await send_held(c, c.app->socket());
            if (!sent) step = Step::failed;
            way.appetite.held(c.loop().now() - since);
        }
        if (way.moved >= kTurnBytes) {
            co_await net::Yield{c.loop()};
            way.moved = 0;
        }
    }
    if (step == Step::end) c.app->socket().finish_writing();
    co_await std::move(back);
}

} // namespace

net::Task<void> relay(TcpConnection& c)
{
    c.client.socket().watch().set_partner(&c.app->socket().watch());
    auto back = app_to_client(c);
    back.start();
    return client_to_app(c, std::move(back));
}

} // namespace sallyport::proxy
