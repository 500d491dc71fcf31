#include "http2_app.hpp"

#include <string>
#include <utility>

#include "connection.hpp"
#include "sallyport/http/websocket_frames.hpp"

namespace sallyport::proxy {

Http2App::Http2App(Http2AppConnection& connection) : connection_{connection}
{
    connection_.begin_exchange();
    reused_ = connection_.served_before();
}

Http2App::~Http2App()
{
    connection_.end_exchange(stream_);
}

void Http2App::have_news()
{
    resume_all(watch_.wake());
}

/// Of a message that has not ended: what has arrived before may still be read.
Result<void> Http2App::check() const
{
    if (!is_lost()) return {};
    if (stream_->refused()) return fail(Fault::malformed, Side::upstream, http::facts(stream_->refused()->reason).name);
    if (connection_.cause()) return std::unexpected{Error{connection_.cause()->fault, Side::upstream, "relaying"}};
    return fail(Fault::reset, Side::upstream, http2::name(*stream_->broken()));
}

void Http2App::take_read()
{
    if (read_ == 0) return;
    connection_.frames.take(*stream_, std::exchange(read_, 0));
    connection_.ring();
}

/// A head that was not handed out, or what comes after the last one.
net::Watch::Awaiter Http2App::readable()
{
    take_read();
    pass_seen();
    const http::ResponseHead* const head = stream_->head();
    const bool has_head = head != nullptr && head != seen_;
    return watch_.readable_if(is_lost() || has_head || !stream_->arrived().empty() || stream_->arrived_all());
}

Result<Piece> Http2App::read(std::size_t /*most*/)
{
    return next();
}

Result<Piece> Http2App::next()
{
    take_read();
    const auto bytes = stream_->arrived();
    if (bytes.empty() && !stream_->arrived_all())
        if (const auto well = check(); !well) return std::unexpected{well.error()};
    read_ = bytes.size();
    return Piece{bytes, stream_->arrived_all(), &stream_->trailers()};
}

/// A client of HTTP/1.1 wants a proof that its key was understood (RFC 6455 §4.2.2). The app never sees the key, so the
/// proof is ours. What cannot be a tunnel is asked without its upgrade.
bool Http2App::becomes_tunnel(const http::RequestHead& head)
{
    if (!http::is_websocket(head.upgrade) || !connection_.frames.offers_extended_connect()) return false;
    if (head.version == http::Version::http2) return true;
    const bool asks = head.method == http::Method::get && head.framing.kind == http::Framing::Kind::none &&
                      head.fields.count(http::FieldName::sec_websocket_key) == 1;
    if (!asks) return false;
    const auto proof = crypto::websocket_proof(head.fields.find(http::FieldName::sec_websocket_key)->value);
    if (proof) opening_ = std::make_unique<Opening>(*proof);
    return proof.has_value();
}

const http::ResponseHead& Http2App::shown(const http::ResponseHead& head) const
{
    constexpr std::string_view kAccept = "sec-websocket-accept";
    if (opening_ == nullptr || head.status != 101) return head;
    http::ResponseHead& shown = opening_->head;
    shown = head;
    shown.reason = "Switching Protocols";
    shown.fields.clear();
    for (const http::Field& field : head.fields)
        if (field.name != kAccept) shown.fields.add(field); // which has no place in HTTP/2 (RFC 8441 §5)
    shown.fields.add(kAccept, {opening_->proof.data(), opening_->proof.size()});
    return shown;
}

Result<void> Http2App::request(const http::RequestHead& head, const http::Edits& edits, const Piece& first)
{
    if (connection_.frames.room() == 0) return fail(Fault::reset, Side::upstream, "beginning a stream");
    const std::string host = host_for_nobody(head);
    const bool empty = first.end && first.bytes.empty() && (first.trailers == nullptr || first.trailers->empty());
    using Follows = http2::ClientSession::Follows;
    const bool tunnel = becomes_tunnel(head);
    const Follows follows = tunnel ? Follows::tunnel : empty ? Follows::nothing : Follows::body;
    removed_ = edits.removed;
    stream_ = &connection_.ask(head, {.default_host = host, .edits = edits}, follows);
    stream_->user = this;
    return empty ? Result<void>{} : write(first);
}

Result<void> Http2App::write(const Piece& piece)
{
    if (const auto well = check(); !well) return well;
    if (!piece.bytes.empty()) connection_.send(*stream_, piece.bytes);
    if (piece.end) connection_.frames.finish(*stream_, piece.trailers, removed_);
    connection_.ring();
    return check();
}

Result<AppStream::Head> Http2App::receive_head()
{
    pass_seen();
    const http::ResponseHead* const head = stream_->head();
    if (head == nullptr) {
        if (const auto well = check(); !well) return std::unexpected{well.error()};
        return Head{};
    }
    seen_ = head;
    if (head->is_interim()) return Head{.head = head};
    const auto first = next();
    if (!first) return std::unexpected{first.error()};
    return Head{&shown(*head), *first};
}

void Http2App::pass_seen()
{
    if (seen_ == nullptr || !seen_->is_interim()) return;
    stream_->pass_interim();
    seen_ = nullptr;
}

void Http2App::end_tunnel()
{
    connection_.frames.finish(*stream_);
    connection_.ring();
}

void Http2App::abort()
{
    if (stream_ != nullptr) connection_.frames.reset(*stream_, http2::Code::cancel);
    connection_.ring();
}

} // namespace sallyport::proxy
