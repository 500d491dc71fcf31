#include "http1_app.hpp"

#include <utility>

#include "appetite.hpp"

namespace sallyport::proxy {

namespace {

constexpr std::string_view kAwaiting = "waiting for the response";

std::unexpected<Error> malformed(http::Refusal reason)
{
    return fail(Fault::malformed, Side::upstream, http::facts(reason).name);
}

} // namespace

Http1App::Http1App(upstream::Upstream& upstream, upstream::AppConnectionPtr connection, Http1AppBuffers& buffers,
                   const Surroundings& around, const http::Limits& limits)
    : upstream_{upstream},
      connection_{std::move(connection)},
      buffers_{buffers},
      around_{around},
      limits_{limits},
      scanner_{limits},
      reader_{limits}
{
    buffers_.kept.clear();
}

Result<void> Http1App::request(const http::RequestHead& head, const http::Edits& edits, const Piece& first)
{
    asked_ = head.method;
    around_.out.clear();
    const std::string host = host_for_nobody(head);
    http::write_request(around_.out, head, {.default_host = host, .edits = edits});
    writer_.begin(head.framing, edits.removed);
    writer_.append(around_.out, first.bytes, first.end, first.trailers);
    sent_all_ = first.end;
    return socket().send(std::as_bytes(std::span{around_.out}));
}

Result<void> Http1App::write(const Piece& piece)
{
    sent_all_ = piece.end;
    if (writer_.verbatim()) {
        if (!piece.bytes.empty())
            if (const auto sent = socket().send(piece.bytes); !sent) return sent;
        return {};
    }
    around_.out.clear();
    writer_.append(around_.out, piece.bytes, piece.end, piece.trailers);
    return socket().send(std::as_bytes(std::span{around_.out}));
}

std::span<std::byte> Http1App::unread()
{
    if (!fresh_.empty()) return fresh_;
    return std::as_writable_bytes(std::span{buffers_.kept}).subspan(kept_at_);
}

void Http1App::drop(std::size_t size)
{
    if (!fresh_.empty())
        fresh_ = fresh_.subspan(size);
    else
        kept_at_ += size;
}

void Http1App::keep()
{
    if (!fresh_.empty()) {
        buffers_.kept.assign(reinterpret_cast<const char*>(fresh_.data()), fresh_.size());
        kept_at_ = 0;
        fresh_ = {};
    }
    kept_for_now_ = !unread().empty();
}

Result<net::Arrival> Http1App::receive(std::size_t most)
{
    const auto into = around_.scratch.plain().first(most);
    const auto got = socket().receive(into);
    if (got && got->size > 0) {
        silent_ = false;
        fresh_ = into.first(got->size);
    }
    return got;
}

// A head that comes in parts is put together in `kept`.
Result<AppStream::Head> Http1App::receive_head()
{
    for (;;) {
        if (const auto text = unread(); !text.empty()) {
            const auto size = scanner_.look({reinterpret_cast<const char*>(text.data()), text.size()});
            if (!size) return malformed(size.error().reason);
            if (*size > 0) return parse(*size);
            keep();
            kept_for_now_ = false;
        }
        const std::size_t kept = unread().size();
        const auto got = receive(Appetite::first_size(around_.budget));
        if (!got) return std::unexpected{got.error()};
        if (got->kind == net::Arrival::Kind::nothing_yet) return Head{};
        if (got->kind == net::Arrival::Kind::end) return fail(Fault::truncated, Side::upstream, kAwaiting);
        if (kept == 0) continue;
        buffers_.kept.append(reinterpret_cast<const char*>(fresh_.data()), fresh_.size());
        fresh_ = {};
    }
}

Result<AppStream::Head> Http1App::parse(std::size_t size)
{
    http::ResponseHead& head = buffers_.head;
    const auto text = unread().first(size);
    const auto parsed =
        http::parse_response({reinterpret_cast<const char*>(text.data()), text.size()}, limits_, asked_, head);
    if (!parsed) return malformed(parsed.error().reason);
    drop(size);
    scanner_.restart();
    if (head.is_interim()) return Head{.head = &head};
    reader_.begin(head.framing);
    const auto first = take_unread();
    if (!first) return std::unexpected{first.error()};
    return Head{&head, *first};
}

Result<Piece> Http1App::take_unread()
{
    kept_for_now_ = false;
    const auto part = reader_.take(unread());
    if (!part) return malformed(part.error());
    drop(part->size);
    return Piece{part->bytes, reader_.ended(), &reader_.trailers()};
}

Result<Piece> Http1App::read(std::size_t most)
{
    if (unread().empty() && !reader_.ended()) {
        const auto got = receive(most);
        if (!got) return std::unexpected{got.error()};
        if (got->kind == net::Arrival::Kind::nothing_yet) return Piece{};
        if (got->kind == net::Arrival::Kind::end) {
            if (!reader_.ends_with_connection()) return fail(Fault::truncated, Side::upstream, "reading the response");
            return Piece{.end = true};
        }
    }
    return take_unread();
}

void Http1App::begin_tunnel()
{
    keep();
    tunnel_ = true;
    reader_.begin_tunnel();
    writer_.begin({http::Framing::Kind::until_close});
}

void Http1App::finish()
{
    const bool whole = sent_all_ && reader_.ended() && unread().empty() && !socket().holds();
    if (!whole || tunnel_ || !buffers_.head.keep_alive) return;
    std::optional<std::uint32_t> announced;
    if (const auto timeout = buffers_.head.keep_alive_timeout) announced = static_cast<std::uint32_t>(timeout->count());
    upstream_.give_back(std::move(connection_), announced);
}

} // namespace sallyport::proxy
