#include "pump.hpp"

#include "appetite.hpp"
#include "frame_guard.hpp"

namespace sallyport::proxy {

namespace {

/// An app that takes no more may still have an answer on the way: the other direction decides.
void note(Exchange& x, const Flow& flow, const Error& error)
{
    const bool other_decides = flow.up && error.side == Side::upstream && x.phase() != Phase::tunnel;
    if (!other_decides) x.fail(error);
}

Error left(const Flow& flow)
{
    return {Fault::reset, flow.up ? Side::upstream : Side::client, "relaying"};
}

enum class Step : std::uint8_t { more, end, failed };

/// A client that leaves without close_notify may have been cut short by anyone (RFC 8446 §6.1); not one that answers
/// the end of a tunnel so.
Step end_or_failure(Exchange& x, const Flow& flow, const Error& error)
{
    if (flow.up && x.app_finished && error.fault == Fault::truncated) return Step::end;
    note(x, flow, error);
    return Step::failed;
}

Step move(Exchange& x, const Flow& flow, Appetite& appetite)
{
    const auto piece = flow.from.read(appetite.size(x.connection.budget()));
    if (!piece) return end_or_failure(x, flow, piece.error());
    if (flow.up) x.took_body(piece->bytes.size());
    if (piece->bytes.empty() && !piece->end) return Step::more;
    x.progress();
    flow.moved += piece->bytes.size();
    if (flow.up && x.phase() != Phase::tunnel && flow.moved > x.connection.http().body_bytes_max) {
        x.fail(site::Reason::body_too_large);
        return Step::failed;
    }
    const auto sent = flow.guard != nullptr ? flow.guard->write(flow.to, *piece) : flow.to.write(*piece);
    if (!sent) {
        note(x, flow, sent.error());
        return Step::failed;
    }
    // A stream of HTTP/2 holds little itself; what its connection could not send is the socket's.
    const bool taken = !flow.to.holds() && (flow.up || !x.connection.client.holds());
    if (taken) appetite.fed(piece->bytes.size());
    return piece->end ? Step::end : Step::more;
}

} // namespace

bool is_over(const Exchange& x, const Flow& flow)
{
    return flow.up ? x.upload_is_over() : x.over();
}

net::Task<bool> send_held(Exchange& x, Flow flow)
{
    while (flow.to.holds()) {
        const bool writable = co_await flow.to.writable();
        if (!writable || is_over(x, flow)) co_return false;
        if (flow.to.broken()) {
            note(x, flow, left(flow));
            co_return false;
        }
        if (const auto sent = flow.to.send_held(); !sent) {
            note(x, flow, sent.error());
            co_return false;
        }
        x.progress();
    }
    co_return true;
}

net::Task<bool> pump(Exchange& x, Flow flow)
{
    Appetite appetite;
    std::uint64_t turn = flow.moved + kTurnBytes;
    for (Step step = Step::more; step == Step::more;) {
        if (flow.up) x.await_body();
        const bool readable = co_await flow.from.readable();
        if (!readable || is_over(x, flow)) co_return false;
        if (flow.to.broken()) {
            note(x, flow, left(flow));
            co_return false;
        }
        step = move(x, flow, appetite);
        if (step == Step::failed) co_return false;
        if (flow.to.holds()) {
            if (flow.up) x.await_app();
            const net::Tick since = x.shard().loop().now();
            const bool sent = co_await send_held(x, flow);
            if (!sent) co_return false;
            appetite.held(x.shard().loop().now() - since);
        }
        if (flow.moved >= turn) {
            co_await net::Yield{x.shard().loop()};
            if (is_over(x, flow)) co_return false;
            turn = flow.moved + kTurnBytes;
        }
    }
    co_return true;
}

} // namespace sallyport::proxy
