#include "relay.hpp"

#include <algorithm>

namespace sallyport::proxy {

namespace {

/// How much one direction moves before the shard's other connections have their turn.
constexpr std::size_t kTurnBytes = 1024 * 1024;

std::unexpected<Error> aborted()
{
    return fail(Fault::aborted, Side::self, "relaying");
}

net::Task<Result<void>> send_held(Connection& c, net::Socket& to)
{
    while (to.holds()) {
        if (!co_await to.writable()) co_return aborted();
        if (c.client.socket().broken()) co_return c.end_both({Fault::reset, Side::client, "relaying"});
        if (const auto sent = to.send_held(); !sent) co_return sent;
        c.touch();
    }
    co_return Result<void>{};
}

/// A client that ends without close_notify may have been cut short by anyone (RFC 8446 §6.1), so the app must not take
/// it for an orderly end; unless the app has finished already, and the client answers by leaving.
Result<void> end_without_close_notify(Connection& c, const Error& error)
{
    if (error.fault != Fault::truncated || !c.app_finished) return c.end_both(error);
    c.app->finish_writing();
    return {};
}

net::Task<Result<void>> client_to_app(Connection& c)
{
    std::size_t moved = 0;
    for (;;) {
        if (!co_await c.client.readable()) co_return aborted();
        const Result<tls::Plain> got = c.client.receive();
        if (!got) co_return end_without_close_notify(c, got.error());
        const bool end = got->end;
        if (!got->bytes.empty()) {
            c.touch();
            c.from_client += got->bytes.size();
            moved += got->bytes.size();
            // An app that takes no more may still have an answer on the way: the other direction decides.
            if (const auto sent = c.app->send(got->bytes); !sent) co_return sent;
            if (c.app->holds()) {
                if (const auto sent = co_await send_held(c, *c.app); !sent) co_return sent;
            }
        }
        if (end) {
            c.app->finish_writing();
            co_return Result<void>{};
        }
        if (moved >= kTurnBytes) {
            co_await net::Yield{c.loop()};
            moved = 0;
        }
    }
}

net::Task<Result<void>> tell_client_the_end(Connection& c)
{
    if (const auto sent = c.client.send_close_notify(); !sent) co_return sent;
    if (const auto sent = co_await send_held(c, c.client.socket()); !sent) co_return sent;
    c.client.socket().finish_writing();
    c.app_finished = true;
    co_return Result<void>{};
}

/// Large reads make few system calls; a slow reader gets small ones, since what it does not take must be held.
class ReadSize {
public:
    [[nodiscard]] std::size_t bytes(const net::HoldBudget& budget) const
    {
        return budget.exhausted() ? tls::Scratch::kRecordMax : bytes_;
    }
    void sent_at_once() { bytes_ = std::min(bytes_ * 2, tls::Scratch::kPlain); }
    void had_to_hold() { bytes_ = std::max(bytes_ / 2, tls::Scratch::kRecordMax); }

private:
    std::size_t bytes_{tls::Scratch::kPlain};
};

net::Task<Result<void>> app_to_client(Connection& c)
{
    ReadSize size;
    std::size_t moved = 0;
    for (;;) {
        if (!co_await c.app->readable()) co_return aborted();
        const auto into = c.scratch().plain().first(size.bytes(c.budget()));
        const Result<net::Arrival> got = c.app->receive(into);
        if (!got) co_return c.end_both(got.error());
        if (got->kind == net::Arrival::Kind::end) co_return co_await tell_client_the_end(c);
        if (got->kind == net::Arrival::Kind::nothing_yet) continue;

        c.touch();
        c.to_client += got->size;
        moved += got->size;
        if (const auto sent = c.client.send(into.first(got->size)); !sent) co_return c.end_both(sent.error());
        if (c.client.socket().holds()) {
            size.had_to_hold();
            if (const auto sent = co_await send_held(c, c.client.socket()); !sent) co_return c.end_both(sent.error());
        } else if (got->size == into.size()) {
            size.sent_at_once();
        }
        if (moved >= kTurnBytes) {
            co_await net::Yield{c.loop()};
            moved = 0;
        }
    }
}

} // namespace

net::Task<Result<void>> relay(Connection& c)
{
    c.client.socket().watch().set_partner(&c.app->watch());
    auto back = app_to_client(c);
    back.start();
    const Result<void> there = co_await client_to_app(c);
    const Result<void> returned = co_await back;
    co_return there ? returned : there;
}

} // namespace sallyport::proxy
