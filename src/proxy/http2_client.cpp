#include "http2_client.hpp"

#include "exchange.hpp"
#include "http2_session.hpp"

namespace sallyport::proxy {

Http2Client::Http2Client(Http2Session& session, http2::ServerStream& stream) : session_{session}, stream_{stream}
{
    stream_.user = this;
    session_.enlist(*this);
}

Http2Client::~Http2Client()
{
    session_.dismiss(*this, stream_);
}

void Http2Client::have_news()
{
    if (stream_.broken() && exchange_ != nullptr)
        exchange_->stop(session_.reason_of_end());
    else
        resume_all(watch_.wake());
}

Result<void> Http2Client::check() const
{
    if (stream_.broken()) return fail(Fault::reset, Side::client, "relaying");
    return {};
}

// The app has had all of the last piece, or holds it as its own.
void Http2Client::take_read()
{
    if (read_ == 0) return;
    session_.frames.take(stream_, std::exchange(read_, 0));
    session_.ring();
}

net::Watch::Awaiter Http2Client::readable()
{
    take_read();
    return watch_.readable_if(!stream_.arrived().empty() || stream_.arrived_all() || broken());
}

Result<Piece> Http2Client::read(std::size_t /*most*/)
{
    return next();
}

Result<Piece> Http2Client::next()
{
    take_read();
    if (const auto well = check(); !well) return std::unexpected{well.error()};
    const auto bytes = stream_.arrived();
    read_ = bytes.size();
    return Piece{bytes, stream_.arrived_all(), &stream_.trailers()};
}

Result<Piece> Http2Client::arrived()
{
    if (awaits_tunnel()) return Piece{.end = true};
    return next();
}

bool Http2Client::request_ended() const
{
    return awaits_tunnel() || (stream_.arrived_all() && stream_.arrived().size() == read_);
}

Result<void> Http2Client::respond(const http::ResponseHead& head, const http::Edits& edits, const Piece& first)
{
    if (const auto well = check(); !well) return well;
    const bool tunnels = head.status == 101;
    const bool empty = first.end && first.bytes.empty() && (first.trailers == nullptr || first.trailers->empty());
    session_.frames.respond(stream_, head, edits, tunnels || !empty);
    removed_ = edits.removed;
    session_.ring();
    return tunnels || empty || head.is_interim() ? Result<void>{} : send(first);
}

Result<void> Http2Client::write(const Piece& piece)
{
    if (const auto well = check(); !well) return well;
    return send(piece);
}

Result<void> Http2Client::send(const Piece& piece)
{
    if (!piece.bytes.empty()) session_.send(stream_, piece.bytes);
    if (piece.end) session_.frames.finish(stream_, piece.trailers, removed_);
    session_.ring();
    return check();
}

void Http2Client::end_tunnel()
{
    session_.frames.finish(stream_);
    session_.ring();
}

// What the app said before it failed goes out first: behind the reset it would be dropped.
void Http2Client::abort()
{
    while (session_.flush()) {
    }
    const auto reason = exchange_ != nullptr ? exchange_->reason() : site::Reason::internal_error;
    session_.frames.reset(stream_, site::facts(reason).h2);
    session_.ring();
}

} // namespace sallyport::proxy
