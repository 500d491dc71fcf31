#include "sallyport/http2/session.hpp"

#include <algorithm>
#include <utility>

#include "sallyport/base/contract.hpp"
#include "state.hpp"

namespace sallyport::http2 {

namespace {

/// What is smaller waits for the turn's other frames; what is larger is spared a copy.
constexpr std::size_t kWorthFraming = 8 * 1024;

std::uint32_t number(Code code)
{
    return static_cast<std::uint32_t>(code);
}

} // namespace

void must_succeed(int answer)
{
    SALLYPORT_ASSERT(answer == 0);
}

Session::Session(Role role, const Options& options) : state_{std::make_unique<State>(role, options)}
{
    State& s = *state_;
    s.library.reset(make_library(*this, role == Role::server));
    must_succeed(nghttp2_session_set_local_window_size(s.raw(), NGHTTP2_FLAG_NONE, 0,
                                                       static_cast<std::int32_t>(options.connection_window)));
}

Session::~Session() = default;

void Session::feed(std::span<const std::byte> bytes, std::uint64_t now)
{
    State& s = *state_;
    SALLYPORT_ASSERT(bytes.size() <= kFeedMax);
    if (s.failure) return;
    s.calm.pass_time(now);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto taken = nghttp2_session_mem_recv(s.raw(), data, bytes.size());
    if (taken == NGHTTP2_ERR_FLOODED) s.flood = "too many frames to answer";
    end_if_flooded();
    if (taken < 0) fail(Fault::malformed, Code::protocol_error, nghttp2_strerror(static_cast<int>(taken)));
}

Stream* Session::next_news()
{
    State& s = *state_;
    while (s.next_news < s.news.size()) {
        Stream* const stream = s.news[s.next_news++];
        if (stream == nullptr) continue;
        stream->is_news_ = false;
        return stream;
    }
    s.news.clear();
    s.next_news = 0;
    return nullptr;
}

bool Session::has_output() const
{
    return nghttp2_session_want_write(state_->raw()) != 0;
}

std::size_t Session::pull(std::span<std::byte> into)
{
    State& s = *state_;
    s.output = into;
    s.output_used = 0;
    must_succeed(nghttp2_session_send(s.raw()));
    s.output = {};
    end_if_flooded();
    return s.output_used;
}

const std::optional<Error>& Session::failure() const
{
    return state_->failure;
}

void Session::take(Stream& stream, std::size_t size)
{
    State& s = *state_;
    stream.incoming_.consume(size);
    s.bytes_held -= size;
    must_succeed(nghttp2_session_consume(s.raw(), stream.id_, size));
}

std::size_t Session::send(Stream& stream, std::span<const std::byte> bytes, std::span<std::byte> into)
{
    State& s = *state_;
    if (!stream.open_ || stream.broken_ || stream.finishing_ || bytes.empty()) return 0;
    std::size_t used = 0;
    std::span<const std::byte> rest = bytes;
    if (bytes.size() >= kWorthFraming && into.size() >= kPullMin && stream.outgoing_.empty()) {
        stream.lent_ = bytes;
        wake_source(stream);
        used = pull(into);
        rest = std::exchange(stream.lent_, {});
    }
    // The pull may have found that the stream, or the connection, is at its end.
    if (rest.empty() || !stream.open_ || stream.broken_) return used;
    stream.outgoing_.append(rest);
    s.bytes_held += rest.size();
    wake_source(stream);
    return used;
}

void Session::finish(Stream& stream, const http::Fields* trailers, const http::NameSet* removed)
{
    if (!stream.open_ || stream.broken_ || stream.finishing_) return;
    stream.finishing_ = true;
    stream.own_trailers_.clear();
    if (trailers != nullptr) {
        for (const http::Field& field : *trailers) {
            if (removed != nullptr && removed->contains(field)) continue;
            stream.own_trailers_.append(field.name).push_back('\0');
            stream.own_trailers_.append(field.value).push_back('\0');
        }
    }
    wake_source(stream);
}

void Session::reset(Stream& stream, Code code)
{
    if (!stream.open_ || stream.broken_) return;
    must_succeed(nghttp2_submit_rst_stream(state_->raw(), NGHTTP2_FLAG_NONE, stream.id_, number(code)));
    mark_broken(stream, code);
}

void Session::discard(Stream& stream)
{
    stream.discards_ = true;
    if (const std::size_t left = stream.incoming_.size(); left > 0) take(stream, left);
}

void Session::release(Stream& stream)
{
    SALLYPORT_ASSERT(stream.held_);
    discard(stream);
    const bool answered = state_->role == Role::server ? stream.finishing_ : stream.remote_ended_ && stream.finishing_;
    stream.held_ = false;
    stream.user = nullptr;
    --state_->held;
    drop_news(stream);
    if (!answered) reset(stream, Code::cancel);
    if (!stream.open_)
        forget(stream);
    else if (stream.local_ended_ && !stream.remote_ended_ && !stream.broken_)
        reset(stream, Code::no_error);
}

void Session::drain()
{
    State& s = *state_;
    if (s.draining || s.failure) return;
    s.draining = true;
    if (s.role == Role::client) {
        must_succeed(nghttp2_submit_goaway(s.raw(), NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0));
        return;
    }
    must_succeed(nghttp2_submit_shutdown_notice(s.raw()));
    must_succeed(nghttp2_submit_ping(s.raw(), NGHTTP2_FLAG_NONE, kDrainPing.data()));
}

void Session::end(Code code)
{
    must_succeed(nghttp2_session_terminate_session(state_->raw(), number(code)));
    break_all(code);
}

bool Session::ended() const
{
    return nghttp2_session_want_read(state_->raw()) == 0 && !has_output();
}

bool Session::draining() const
{
    return state_->draining;
}

bool Session::peer_drains() const
{
    return state_->peer_drains;
}

std::size_t Session::streams_held() const
{
    return state_->held;
}

std::size_t Session::bytes_held() const
{
    return state_->bytes_held;
}

void Session::adopt(Stream& stream, std::int32_t id)
{
    State& s = *state_;
    stream.restart();
    stream.id_ = id;
    stream.open_ = true;
    stream.next_ = s.live;
    stream.link_ = &s.live;
    if (s.live != nullptr) s.live->link_ = &stream.next_;
    s.live = &stream;
    ++s.open;
}

void Session::hold(Stream& stream)
{
    stream.held_ = true;
    ++state_->held;
}

void Session::note_news(Stream& stream)
{
    if (!stream.held_ || std::exchange(stream.is_news_, true)) return;
    state_->news.push_back(&stream);
}

void Session::drop_news(Stream& stream)
{
    if (!std::exchange(stream.is_news_, false)) return;
    auto& news = state_->news;
    *std::find(news.begin() + static_cast<std::ptrdiff_t>(state_->next_news), news.end(), &stream) = nullptr;
}

void Session::mark_broken(Stream& stream, Code code)
{
    if (stream.broken_) return;
    stream.broken_ = code;
    state_->bytes_held -= stream.outgoing_.size();
    stream.outgoing_.consume(stream.outgoing_.size());
    note_news(stream);
}

void Session::mark_head_sent(Stream& stream, bool has_body)
{
    stream.head_sent_ = true;
    stream.finishing_ = !has_body;
}

bool Session::can_send_head(const Stream& stream)
{
    return stream.open_ && !stream.broken_ && !stream.head_sent_;
}

/// nghttp2 has found the mistake, and ended the connection.
void Session::note_own_goaway(Code code)
{
    State& s = *state_;
    s.failure = Error{Fault::malformed, s.role == Role::server ? Side::client : Side::upstream,
                      s.last_complaint.empty() ? name(code) : s.last_complaint};
    break_all(code);
}

void Session::fail(Fault fault, Code code, std::string_view reason)
{
    State& s = *state_;
    if (s.failure) return;
    s.failure = Error{fault, s.role == Role::server ? Side::client : Side::upstream, reason};
    end(code);
}

void Session::end_if_flooded()
{
    if (!state_->flood.empty()) fail(Fault::forbidden, Code::enhance_your_calm, state_->flood);
}

void Session::break_all(Code code)
{
    for (Stream* stream = state_->live; stream != nullptr; stream = stream->next_)
        if (!stream->remote_ended_ || !stream->local_ended_) mark_broken(*stream, code);
}

void Session::wake_source(Stream& stream)
{
    if (!std::exchange(stream.deferred_, false)) return;
    must_succeed(nghttp2_session_resume_data(state_->raw(), stream.id_));
}

void Session::forget(Stream& stream)
{
    State& s = *state_;
    drop_news(stream);
    s.bytes_held -= stream.outgoing_.size() + stream.incoming_.size();
    *stream.link_ = stream.next_;
    if (stream.next_ != nullptr) stream.next_->link_ = stream.link_;
    give_back(stream);
}

void Session::release_all()
{
    while (state_->live != nullptr)
        forget(*state_->live);
}

} // namespace sallyport::http2
