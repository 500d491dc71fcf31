#include "http2_session.hpp"

#include <vector>

#include "exchange.hpp"
#include "http2_client.hpp"
#include "http2_exchange.hpp"

namespace sallyport::proxy {

namespace {

http2::Options options_of(HttpConnection& c)
{
    return {.limits = c.shard.bench().http_limits,
            .streams_max = c.http().streams_max,
            .stream_window = c.http().stream_window,
            .connection_window = c.http().connection_window};
}

} // namespace

Http2Session::Http2Session(HttpConnection& connection)
    : c{connection},
      frames{options_of(connection), connection.shard.bench().spare_streams},
      written_{connection.loop()},
      taken_{connection.loop()},
      emptied_{connection.loop()},
      share_{connection.budget()}
{
    c.session = this;
}

Http2Session::~Http2Session()
{
    c.session = nullptr;
}

// The ciphertext's buffer is free between two receives, and the plain text's may hold what is being sent.
void Http2Session::send(http2::ServerStream& stream, std::span<const std::byte> bytes)
{
    const bool now = !lost() && !c.client.holds();
    const auto into = now ? c.scratch().cipher_in() : std::span<std::byte>{};
    const std::size_t used = frames.send(stream, bytes, into);
    share_.set(frames.bytes_held()); // nobody looks at the news while the client takes nothing
    if (used == 0) return;
    if (const auto sent = c.client.send(into.first(used)); !sent) lose(sent.error());
}

bool Http2Session::flush()
{
    if (lost() || c.client.holds()) return false;
    const auto into = c.scratch().cipher_in();
    const std::size_t used = frames.pull(into);
    if (used == 0) return false;
    if (const auto sent = c.client.send(into.first(used)); !sent) lose(sent.error());
    return !c.client.holds();
}

void Http2Session::lose(const Error& error)
{
    if (lost()) return;
    if (!empty() || error.fault != Fault::truncated) c.note(error);
    go_to(Life::lost);
}

// Nobody is resumed by it: whoever calls may be an exchange. The bell has them looked at, at the end of the turn.
void Http2Session::go_to(Life next)
{
    if (next <= life_) return;
    life_ = next;
    if (next == Life::draining) frames.drain();
    arm();
    ring();
}

std::size_t Http2Session::untaken() const
{
    return frames.bytes_held() + c.client.socket().held();
}

// While there are exchanges, their own deadlines count. The last one may have ended when a part of its response was
// still to be taken, in which the client may be as slow as in all of it.
void Http2Session::arm()
{
    untaken_ = untaken();
    if (!empty())
        c.enter(Stage::exchange, c.http().keep_alive_ms);
    else if (life_ == Life::serving)
        c.enter(Stage::idle, untaken_ > 0 ? c.limits().idle_ms : c.http().keep_alive_ms);
    else
        c.enter(Stage::closing, untaken_ > 0 ? c.limits().idle_ms : c.http().close_ms);
}

void Http2Session::look_at_news()
{
    if (lost()) frames.end(http2::Code::cancel);
    while (http2::ServerStream* const stream = frames.next_news()) {
        if (stream->user != nullptr)
            static_cast<Http2Client*>(stream->user)->have_news();
        else if (stream->broken())
            frames.release(*stream);
        else
            serve_stream(*this, *stream);
    }
    share_.set(frames.bytes_held());
    if (frames.ended() || frames.failure()) go_to(Life::flushing);
    if (!reads()) wake_both();
}

site::Reason Http2Session::reason_of_end() const
{
    if (c.was_cut()) return site::Reason::cut;
    if (!frames.failure()) return site::Reason::client_left;
    return frames.failure()->fault == Fault::forbidden ? site::Reason::h2_flood : site::Reason::h2_protocol;
}

void Http2Session::enlist(Http2Client& client)
{
    client.older = newest_;
    client.link = &newest_;
    if (newest_ != nullptr) newest_->link = &client.older;
    newest_ = &client;
    ++c.requests;
    if (client.older == nullptr) arm();
    if (c.requests == c.http().requests_max || c.shard.draining()) go_to(Life::draining);
}

void Http2Session::dismiss(Http2Client& client, http2::ServerStream& stream)
{
    *client.link = client.older;
    if (client.older != nullptr) client.older->link = client.link;
    frames.release(stream);
    ring();
    if (!empty()) return;
    emptied_.ring();
    arm();
}

// Both coroutines of the connection see that it has come to its end.
void Http2Session::wake_both()
{
    taken_.ring();
    resume_all(c.client.socket().watch().wake());
}

// All are taken before the first is resumed: the connection ends when the last of them has unwound.
void Http2Session::cancel()
{
    life_ = Life::lost;
    std::vector<net::Watch::Waiters> waiting{c.client.socket().cancel()};
    for (Http2Client* client = newest_; client != nullptr; client = client->older) {
        waiting.push_back(client->watch().cancel());
        waiting.push_back(client->exchange()->cancel());
    }
    taken_.ring();
    ring();
    for (const net::Watch::Waiters& waiters : waiting)
        resume_all(waiters);
}

// A WebSocket that is told may end its own exchange and no other: a client that is gone is noticed at the turn's end.
void Http2Session::drain()
{
    // Its first requests may be on their way, and many clients take a GOAWAY before them for a failure.
    if (c.shard.replaced() && c.requests == 0) return;
    go_to(Life::draining);
    for (Http2Client* client = newest_; client != nullptr;) {
        Http2Client* const older = client->older;
        client->exchange()->drain();
        client = older;
    }
}

// Some clients (python-h2) forget to answer the ping of a drain: they are told the end nonetheless.
void Http2Session::expired()
{
    const std::size_t left = untaken();
    if (!empty() || left < untaken_) return arm();
    if (left > 0) {
        c.note({Fault::timeout, Side::client, "waiting for a response to be taken"});
        return cancel();
    }
    switch (life_) {
    case Life::serving:
        return go_to(Life::draining);
    case Life::draining:
        go_to(Life::flushing);
        return wake_both();
    case Life::flushing:
    case Life::lost:
        return cancel();
    }
}

} // namespace sallyport::proxy
