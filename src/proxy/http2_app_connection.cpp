#include "http2_app_connection.hpp"

#include <algorithm>
#include <utility>

#include "appetite.hpp"
#include "http2_app.hpp"
#include "http2_apps.hpp"

namespace sallyport::proxy {

Http2AppConnection::Http2AppConnection(Http2Apps& apps, upstream::AppConnectionPtr connection)
    : frames{apps.around.options, apps.around.streams},
      apps_{apps},
      connection_{std::move(connection)},
      bell_{apps.around.loop},
      share_{apps.around.budget},
      running_{run()}
{
    connection_->socket().watch().set_observer(this);
    running_.start();
    ring();
}

Http2AppConnection::~Http2AppConnection() = default;

net::Task<void> Http2AppConnection::run()
{
    while (!lost_ || users_ > 0) {
        co_await bell_.rung();
        receive();
        look_at_news();
        write();
        look_at_news();
        share_.set(frames.bytes_held());
    }
    ended_ = true;
    apps_.sweep_later();
}

void Http2AppConnection::receive()
{
    const auto into = apps_.around.scratch.plain().first(Appetite::first_size(apps_.around.budget));
    for (std::size_t taken = 0; !lost_;) {
        if (taken >= kTurnBytes) {
            ring();
            return;
        }
        const auto got = connection_->socket().receive(into);
        if (!got) return lose(got.error());
        if (got->kind == net::Arrival::Kind::nothing_yet) return;
        if (got->kind == net::Arrival::Kind::end) return lose({Fault::truncated, Side::upstream, "reading HTTP/2"});
        taken += got->size;
        heard_at_ = apps_.around.loop.now();
        for (auto left = into.first(got->size); !left.empty();) {
            const auto step = left.first(std::min(left.size(), http2::Session::kFeedMax));
            frames.feed(step, apps_.around.loop.now());
            left = left.subspan(step.size());
        }
    }
}

void Http2AppConnection::look_at_news()
{
    if (lost_) frames.end(http2::Code::cancel);
    if (is_settled() && !std::exchange(told_settled_, true)) apps_.wake_line();
    while (http2::ClientStream* const stream = frames.next_news())
        static_cast<Http2App*>(stream->user)->have_news();
}

void Http2AppConnection::write()
{
    net::Socket& socket = connection_->socket();
    if (!lost_ && socket.holds())
        if (const auto sent = socket.send_held(); !sent) lose(sent.error());
    flush();
    if (frames.failure()) lose(*frames.failure());
    const bool said_all = frames.draining() && users_ == 0 && !frames.has_output() && !socket.holds();
    if (said_all || frames.ended()) lose({Fault::aborted, Side::self, "closing an idle connection"});
}

void Http2AppConnection::flush()
{
    net::Socket& socket = connection_->socket();
    const auto into = apps_.around.scratch.cipher_in();
    while (!lost_ && !socket.holds() && frames.has_output()) {
        const std::size_t used = frames.pull(into);
        if (used == 0) return;
        if (const auto sent = socket.send(into.first(used)); !sent) lose(sent.error());
    }
}

void Http2AppConnection::send(http2::ClientStream& stream, std::span<const std::byte> bytes)
{
    net::Socket& socket = connection_->socket();
    const bool now = !lost_ && !socket.holds();
    const auto into = now ? apps_.around.scratch.cipher_in() : std::span<std::byte>{};
    const std::size_t used = frames.send(stream, bytes, into);
    share_.set(frames.bytes_held());
    if (used == 0) return;
    if (const auto sent = socket.send(into.first(used)); !sent) lose(sent.error());
}

// The exchanges learn of it at the turn's end, from the coroutine.
void Http2AppConnection::lose(const Error& error)
{
    if (lost_) return;
    lost_ = true;
    cause_ = error;
    ring();
}

void Http2AppConnection::begin_exchange()
{
    ++users_;
    ++served_;
}

http2::ClientStream& Http2AppConnection::ask(const http::RequestHead& head, const http::RequestOptions& options,
                                             http2::ClientSession::Follows follows)
{
    ++asking_;
    ring();
    return frames.ask(head, options, follows);
}

void Http2AppConnection::end_exchange(http2::ClientStream* stream)
{
    if (stream != nullptr) {
        frames.release(*stream);
        --asking_;
    }
    ring();
    if (--users_ > 0) return;
    arm();
    if (!apps_.keeps() || connection_->is_gone()) keep_no_more();
}

void Http2AppConnection::arm()
{
    apps_.around.loop.arm(*this, apps_.around.loop.now() + apps_.around.upstream.idle_ms());
}

void Http2AppConnection::keep_no_more()
{
    if (users_ > 0) return;
    frames.drain();
    ring();
}

void Http2AppConnection::doubt(net::Tick since)
{
    if (heard_at_ > since) return;
    frames.drain();
    ring();
}

// An app that takes nothing is not told.
void Http2AppConnection::expired()
{
    if (users_ > 0) return; // the last one arms it anew
    if (frames.draining()) return lose({Fault::timeout, Side::upstream, "closing an idle connection"});
    keep_no_more();
    arm();
}

} // namespace sallyport::proxy
