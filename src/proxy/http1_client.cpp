#include "http1_client.hpp"

#include <algorithm>

#include "appetite.hpp"
#include "sallyport/tls/scratch.hpp"

namespace sallyport::proxy {

namespace {

/// What came behind a head may be the beginning of a body that takes long: more memory than this is not kept while it
/// is waited for.
constexpr std::size_t kUnreadKept = 4 * 1024;

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span{text});
}

} // namespace

Http1Client::Http1Client(tls::TlsStream& client, std::string& unread, std::string& out, const http::Limits& limits)
    : client_{client}, unread_{unread}, out_{out}, reader_{limits}
{
}

void Http1Client::begin(const http::RequestHead& head, bool persists)
{
    version_ = head.version;
    persists_ = persists && head.keep_alive;
    reader_.begin(head.framing);
}

void Http1Client::forget_read()
{
    unread_.erase(0, unread_at_);
    unread_at_ = 0;
}

Result<Piece> Http1Client::read(std::size_t most)
{
    if (has_unread()) return take_unread();
    const auto got = client_.receive(within_body(most));
    if (!got) return std::unexpected{got.error()};
    if (got->end && got->bytes.empty()) return end_of_input();
    std::size_t taken = 0;
    auto piece = take(got->bytes, taken);
    if (piece && got->end && reader_.ends_with_connection()) piece->end = true;
    const auto rest = got->bytes.subspan(taken);
    unread_.assign(reinterpret_cast<const char*>(rest.data()), rest.size());
    unread_at_ = 0;
    return piece;
}

std::size_t Http1Client::within_body(std::size_t most) const
{
    const auto left = reader_.left();
    if (!left) return std::min<std::size_t>(most, Appetite::kFirst);
    return *left > most ? most : std::min(most, static_cast<std::size_t>(*left) + kReadBehind);
}

// All of it has been passed on, or is held by who could not.
void Http1Client::drop_read()
{
    if (has_unread() || unread_.capacity() <= kUnreadKept) return;
    unread_at_ = 0;
    unread_.clear();
    unread_.shrink_to_fit();
}

Result<Piece> Http1Client::take_unread()
{
    std::size_t taken = 0;
    const auto piece = take(std::as_writable_bytes(std::span{unread_}).subspan(unread_at_), taken);
    unread_at_ += taken;
    return piece;
}

Result<Piece> Http1Client::arrived()
{
    if (!reader_.ended() && has_unread()) return take_unread();
    return Piece{.end = reader_.ended()};
}

Result<Piece> Http1Client::take(std::span<std::byte> input, std::size_t& taken)
{
    const auto part = reader_.take(input);
    if (!part) {
        refusal_ = part.error();
        return fail(Fault::malformed, Side::client, http::facts(part.error()).name);
    }
    taken = part->size;
    return Piece{part->bytes, reader_.ended(), &reader_.trailers()};
}

Result<Piece> Http1Client::end_of_input()
{
    if (!reader_.ends_with_connection()) return fail(Fault::truncated, Side::client, "reading the request's body");
    return Piece{.end = true};
}

Result<void> Http1Client::respond(const http::ResponseHead& head, const http::Edits& edits, const Piece& first)
{
    out_.clear();
    http::ResponseOptions options{.client = version_, .edits = edits};
    if (!head.is_interim()) {
        options.framing = http::framing_for(version_, head);
        // What is left of a body that nobody waits for would be taken for the next request.
        persists_ = persists_ && reader_.ended() && options.framing.kind != http::Framing::Kind::until_close;
        options.keep_alive = persists_;
        writer_.begin(options.framing, edits.removed);
    }
    http::write_response(out_, head, options);
    return send_out(first);
}

Result<void> Http1Client::write(const Piece& piece)
{
    out_.clear();
    if (const auto sent = send_out(piece); !sent || !piece.end || !tunnel_) return sent;
    return client_.send_close_notify();
}

// What is small goes into one record with what stands before it; a large body is not copied.
Result<void> Http1Client::send_out(const Piece& piece)
{
    auto rest = piece.bytes;
    if (!writer_.verbatim()) {
        writer_.append(out_, rest, piece.end, piece.trailers);
        rest = {};
    } else if (!out_.empty()) {
        const std::size_t room = tls::Scratch::kRecordMax - std::min(out_.size(), tls::Scratch::kRecordMax);
        const auto beside = rest.first(std::min(room, rest.size()));
        out_.append(reinterpret_cast<const char*>(beside.data()), beside.size());
        rest = rest.subspan(beside.size());
    }
    if (!out_.empty())
        if (const auto sent = client_.send(bytes_of(out_)); !sent) return sent;
    return rest.empty() ? Result<void>{} : client_.send(rest);
}

void Http1Client::begin_tunnel()
{
    tunnel_ = true;
    persists_ = false;
    reader_.begin_tunnel();
    writer_.begin({http::Framing::Kind::until_close});
}

void Http1Client::abort()
{
    persists_ = false;
    aborted_ = true;
    client_.socket().reset_on_close();
}

} // namespace sallyport::proxy
