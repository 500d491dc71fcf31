// The life of an HTTP/2 connection. One coroutine reads frames, one writes them, and each exchange has its own.
#include "http2_connection.hpp"

#include <algorithm>
#include <utility>

#include "appetite.hpp"
#include "exchange.hpp"
#include "http2_client.hpp"
#include "http2_exchange.hpp"
#include "http2_session.hpp"

namespace sallyport::proxy {

namespace {

void feed(Http2Session& s, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const auto step = bytes.first(std::min(bytes.size(), http2::Session::kFeedMax));
        s.frames.feed(step, s.c.loop().now());
        bytes = bytes.subspan(step.size());
    }
    if (s.frames.failure()) s.c.note(*s.frames.failure());
}

/// A client that does not read what we answer is not read from: what we hold for it has a bound.
net::Task<void> read_frames(Http2Session& s)
{
    HttpConnection& c = s.c;
    while (s.reads()) {
        while (c.client.holds() && s.reads())
            co_await s.taken().rung();
        const bool readable = co_await c.client.readable();
        if (!readable || !s.reads()) break;
        const auto got = c.client.receive(Appetite::first_size(c.budget()));
        if (!got) {
            s.lose(got.error());
            s.look_at_news(); // not later: who writes may be waiting for the client to take something
            break;
        }
        feed(s, got->bytes);
        s.look_at_news();
        s.ring();
        if (got->end) {
            s.lose({Fault::truncated, Side::client, "reading HTTP/2"});
            s.look_at_news();
            break;
        }
    }
}

/// What all exchanges of a turn have to say leaves together.
net::Task<void> write_frames(Http2Session& s, const bool& finished)
{
    HttpConnection& c = s.c;
    while (!finished) {
        co_await s.written().rung();
        while (!s.lost() && (c.client.holds() || s.frames.has_output())) {
            if (!c.client.holds()) {
                if (!s.flush() && !c.client.holds()) break;
                continue;
            }
            const bool writable = co_await c.client.socket().writable();
            if (!writable) break;
            if (const auto sent = c.client.socket().send_held(); !sent) s.lose(sent.error());
            // What the client takes lets exchanges go on; without it they would seem to stand still.
            if (!c.client.holds()) s.look_at_news();
        }
        s.taken().ring();
        s.look_at_news();
    }
}

} // namespace

net::Detached serve_stream(Http2Session& s, http2::ServerStream& stream)
{
    const BorrowedBuffers buffers{s.c.shard.bench().spare_buffers};
    Http2Client client{s, stream};
    Exchange x{s.c, client, stream.head(), *buffers, s.c.requests};
    if (stream.refused()) x.refuse(*stream.refused());
    client.serve(x);
    co_await serve_exchange(x);
}

net::Task<void> serve_http2(HttpConnection& c)
{
    Http2Session s{c};
    c.enter(Stage::request_head, c.http().head_ms);
    if (c.shard.draining()) s.drain();
    bool finished = false;
    auto writing = write_frames(s, finished);
    writing.start();
    s.ring();
    co_await read_frames(s);
    while (!s.empty())
        co_await s.emptied().rung();
    finished = true;
    s.ring();
    co_await std::move(writing);
    if (!s.lost() && !c.client.broken() && !c.was_cut()) co_await say_goodbye(c, true);
}

} // namespace sallyport::proxy
