// What nghttp2 calls: each function notes what has happened, and nothing else.
#include <algorithm>
#include <cstring>

#include "sallyport/base/contract.hpp"
#include "state.hpp"

namespace sallyport::http2 {

namespace {

constexpr std::size_t kFrameHeader = 9;
constexpr std::size_t kDataMax = 16 * 1024;
/// Smaller frames for the rest of a buffer are not worth their header.
constexpr std::size_t kDataMin = 1024;
/// For responses with many cookies, and requests as long as our own limits let them be.
constexpr std::size_t kOwnHeadMax = 256 * 1024;

std::string_view view(nghttp2_rcbuf* text)
{
    const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(text);
    return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

bool ends_stream(const nghttp2_frame_hd& frame)
{
    return (frame.type == NGHTTP2_DATA || frame.type == NGHTTP2_HEADERS) &&
           (frame.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

std::span<const std::byte> as_span(const std::uint8_t* data, std::size_t size)
{
    return {reinterpret_cast<const std::byte*>(data), size};
}

} // namespace

struct Callbacks {
    static Session& self(void* user) { return *static_cast<Session*>(user); }
    static Stream* stream_of(nghttp2_session* raw, std::int32_t id)
    {
        return static_cast<Stream*>(nghttp2_session_get_stream_user_data(raw, id));
    }
    static int flood(Session::State& s, std::string_view what)
    {
        s.flood = what;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }

    // In

    static int begin_frame(nghttp2_session* /*raw*/, const nghttp2_frame_hd* frame, void* user)
    {
        Session::State& s = self(user).state();
        if (!s.calm.frame()) return flood(s, "frames that move nothing on");
        if (frame->type == NGHTTP2_HEADERS) s.block.begin(s.options.limits);
        const bool of_head = frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_CONTINUATION;
        if (of_head && !s.block.count_wire_bytes(frame->length)) return flood(s, "a head without end");
        return 0;
    }

    static int begin_headers(nghttp2_session* raw, const nghttp2_frame* frame, void* user)
    {
        Session& session = self(user);
        Session::State& s = session.state();
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        const std::int32_t id = frame->hd.stream_id;
        Stream* const stream =
            frame->headers.cat == NGHTTP2_HCAT_REQUEST ? session.begin_stream(id) : stream_of(raw, id);
        if (stream == nullptr || stream->discards_) return 0;
        if (stream->head_arrived_)
            s.block.keep_in(stream->trailer_text_, s.options.limits.trailer_bytes);
        else
            s.block.keep_in(session.head_text(*stream), s.options.limits.head_bytes);
        return 0;
    }

    static int header(nghttp2_session* /*raw*/, const nghttp2_frame* /*frame*/, nghttp2_rcbuf* name,
                      nghttp2_rcbuf* value, std::uint8_t /*flags*/, void* user)
    {
        Session::State& s = self(user).state();
        return s.block.add(view(name), view(value)) ? 0 : flood(s, "a head without end");
    }

    static int invalid_header(nghttp2_session* /*raw*/, const nghttp2_frame* /*frame*/, nghttp2_rcbuf* name,
                              nghttp2_rcbuf* /*value*/, std::uint8_t /*flags*/, void* user)
    {
        self(user).state().block.add_invalid(view(name));
        return 0;
    }

    static int data_chunk(nghttp2_session* raw, std::uint8_t /*flags*/, std::int32_t id, const std::uint8_t* data,
                          std::size_t size, void* user)
    {
        Session& session = self(user);
        Session::State& s = session.state();
        if (size > 0) s.calm.body();
        Stream* const stream = stream_of(raw, id);
        if (stream == nullptr || stream->discards_) {
            must_succeed(nghttp2_session_consume(raw, id, size));
            return 0;
        }
        stream->incoming_.append(as_span(data, size));
        s.bytes_held += size;
        session.note_news(*stream);
        return 0;
    }

    static int frame_arrived(nghttp2_session* raw, const nghttp2_frame* frame, void* user)
    {
        Session& session = self(user);
        switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
        case NGHTTP2_DATA:
        case NGHTTP2_RST_STREAM:
            if (Stream* const stream = stream_of(raw, frame->hd.stream_id); stream != nullptr)
                stream_frame_arrived(session, *stream, frame->hd);
            return 0;
        default:
            connection_frame_arrived(session.state(), *frame);
            return 0;
        }
    }

    static void stream_frame_arrived(Session& session, Stream& stream, const nghttp2_frame_hd& frame)
    {
        if (frame.type == NGHTTP2_RST_STREAM) return;
        if (frame.type == NGHTTP2_HEADERS && !stream.discards_) head_arrived(session, stream, ends_stream(frame));
        if (!ends_stream(frame)) return;
        stream.remote_ended_ = true;
        session.note_news(stream);
    }

    static void head_arrived(Session& session, Stream& stream, bool ended)
    {
        Session::State& s = session.state();
        if (!stream.head_arrived_) {
            s.calm.request();
            stream.head_arrived_ = session.head_arrived(stream, ended);
            session.note_news(stream);
            return;
        }
        s.block.end(stream.trailers_);
        stream.trailers_.remove(http::kNeverInTrailers);
        if (s.block.refused()) session.reset(stream, Code::protocol_error);
    }

    static void connection_frame_arrived(Session::State& s, const nghttp2_frame& frame)
    {
        const bool acknowledges = (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
        if (frame.hd.type == NGHTTP2_GOAWAY) s.peer_drains = true;
        if (frame.hd.type == NGHTTP2_SETTINGS && !acknowledges) s.peer_settings = true;
        // One round trip after the notice: what is on its way by then was sent in good faith.
        if (frame.hd.type == NGHTTP2_PING && acknowledges && s.draining &&
            std::ranges::equal(frame.ping.opaque_data, kDrainPing))
            must_succeed(nghttp2_submit_goaway(s.raw(), NGHTTP2_FLAG_NONE,
                                               nghttp2_session_get_last_proc_stream_id(s.raw()), NGHTTP2_NO_ERROR,
                                               nullptr, 0));
    }

    static int invalid_frame(nghttp2_session* /*raw*/, const nghttp2_frame* /*frame*/, int error, void* user)
    {
        self(user).state().last_complaint = nghttp2_strerror(error);
        return 0;
    }

    // Out

    static ssize_t write(nghttp2_session* /*raw*/, const std::uint8_t* data, std::size_t size, int /*flags*/,
                         void* user)
    {
        Session::State& s = self(user).state();
        const std::size_t fits = std::min(size, s.output.size() - s.output_used);
        if (fits == 0) return NGHTTP2_ERR_WOULDBLOCK;
        put(s, as_span(data, fits));
        return static_cast<ssize_t>(fits);
    }

    static void put(Session::State& s, std::span<const std::byte> bytes)
    {
        if (bytes.empty()) return;
        std::memcpy(s.output.data() + s.output_used, bytes.data(), bytes.size());
        s.output_used += bytes.size();
    }

    static ssize_t data_size(nghttp2_session* /*raw*/, std::uint8_t /*type*/, std::int32_t /*id*/,
                             std::int32_t /*connection_window*/, std::int32_t /*stream_window*/,
                             std::uint32_t /*frame_max*/, void* user)
    {
        const Session::State& s = self(user).state();
        const std::size_t room = s.output.size() - s.output_used;
        return static_cast<ssize_t>(room < kFrameHeader + kDataMin ? kDataMax
                                                                   : std::min(room - kFrameHeader, kDataMax));
    }

    static ssize_t read_data(nghttp2_session* raw, std::int32_t id, std::uint8_t* /*buffer*/, std::size_t size,
                             std::uint32_t* flags, nghttp2_data_source* source, void* /*user*/)
    {
        Stream& stream = *static_cast<Stream*>(source->ptr);
        const std::size_t waiting = stream.outgoing_.size() + stream.lent_.size();
        if (waiting == 0 && !stream.finishing_) {
            stream.deferred_ = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (stream.finishing_ && waiting <= size) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (!stream.own_trailers_.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                submit_trailers(raw, id, stream.own_trailers_);
            }
        }
        return static_cast<ssize_t>(std::min(waiting, size));
    }

    static void submit_trailers(nghttp2_session* raw, std::int32_t id, std::string_view lines)
    {
        NameValues& list = fresh_name_values();
        const auto next = [&] {
            const std::string_view text = lines.substr(0, lines.find('\0'));
            lines.remove_prefix(text.size() + 1);
            return text;
        };
        while (!lines.empty()) {
            const std::string_view name = next();
            list.add(name, next());
        }
        must_succeed(nghttp2_submit_trailer(raw, id, list.data(), list.size()));
    }

    static int write_data(nghttp2_session* /*raw*/, nghttp2_frame* /*frame*/, const std::uint8_t* header,
                          std::size_t size, nghttp2_data_source* source, void* user)
    {
        Session& session = self(user);
        Session::State& s = session.state();
        Stream& stream = *static_cast<Stream*>(source->ptr);
        if (s.output.size() - s.output_used < kFrameHeader + size) return NGHTTP2_ERR_WOULDBLOCK;
        // It was reset after nghttp2 had asked how much there is.
        if (stream.outgoing_.size() + stream.lent_.size() < size) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        put(s, as_span(header, kFrameHeader));
        const std::size_t kept = std::min(size, stream.outgoing_.size());
        put(s, stream.outgoing_.bytes().first(kept));
        put(s, stream.lent_.first(size - kept));
        stream.lent_ = stream.lent_.subspan(size - kept);
        stream.outgoing_.consume(kept);
        s.bytes_held -= kept;
        s.calm.sent();
        if (kept > 0) session.note_news(stream);
        return 0;
    }

    static int frame_sent(nghttp2_session* raw, const nghttp2_frame* frame, void* user)
    {
        Session& session = self(user);
        Session::State& s = session.state();
        if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR && !s.failure)
            session.note_own_goaway(static_cast<Code>(frame->goaway.error_code));
        if (!ends_stream(frame->hd)) return 0;
        Stream* const stream = stream_of(raw, frame->hd.stream_id);
        if (stream == nullptr) return 0;
        stream->local_ended_ = true;
        session.note_news(*stream);
        // Released, and the client goes on with a body that nobody wants.
        if (!stream->held_ && !stream->remote_ended_) session.reset(*stream, Code::no_error);
        return 0;
    }

    /// A request that could not be sent is closed by nghttp2; of a response or trailers that are too large, the peer
    /// has to be told.
    static int frame_not_sent(nghttp2_session* raw, const nghttp2_frame* frame, int /*error*/, void* user)
    {
        if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat == NGHTTP2_HCAT_REQUEST) return 0;
        if (Stream* const stream = stream_of(raw, frame->hd.stream_id); stream != nullptr)
            self(user).reset(*stream, Code::internal_error);
        return 0;
    }

    // Both

    static int stream_closed(nghttp2_session* raw, std::int32_t id, std::uint32_t code, void* user)
    {
        if (Stream* const stream = stream_of(raw, id); stream != nullptr)
            close(self(user), *stream, static_cast<Code>(code));
        return 0;
    }

    static void close(Session& session, Stream& stream, Code code)
    {
        Session::State& s = session.state();
        stream.open_ = false;
        --s.open;
        const bool complete = stream.local_ended_ && stream.remote_ended_;
        if (!complete && !stream.broken_) {
            session.cut_short(stream, code);
            session.mark_broken(stream, code);
            // By its RST_STREAM, or by a mistake that made nghttp2 send one: our work is lost all the same.
            if (s.role == Session::Role::server && !stream.local_ended_ && !s.calm.cancelled())
                s.flood = "requests that are withdrawn";
        }
        if (!stream.held_) session.forget(stream);
    }

    static nghttp2_session_callbacks* table()
    {
        nghttp2_session_callbacks* callbacks = nullptr;
        must_succeed(nghttp2_session_callbacks_new(&callbacks));
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
        nghttp2_session_callbacks_set_on_header_callback2(callbacks, header);
        nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, invalid_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_chunk);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_arrived);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalid_frame);
        nghttp2_session_callbacks_set_send_callback(callbacks, write);
        nghttp2_session_callbacks_set_send_data_callback(callbacks, write_data);
        nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, data_size);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_sent);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frame_not_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
        return callbacks;
    }
};

namespace {

nghttp2_option* limits_of_library()
{
    nghttp2_option* option = nullptr;
    must_succeed(nghttp2_option_new(&option));
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, kOwnHeadMax);
    // Ours (Calm) knows what a reset cost; the library's counts them all, and would end a client that cancels 33 a
    // second for long.
    constexpr std::uint64_t kAny = 1'000'000'000;
    nghttp2_option_set_stream_reset_rate_limit(option, kAny, kAny);
    return option;
}

} // namespace

nghttp2_session* make_library(Session& session, bool server)
{
    // For all sessions, for ever.
    static const nghttp2_session_callbacks* const callbacks = Callbacks::table();
    static const nghttp2_option* const option = limits_of_library();
    nghttp2_session* made = nullptr;
    must_succeed(server ? nghttp2_session_server_new2(&made, callbacks, &session, option)
                        : nghttp2_session_client_new2(&made, callbacks, &session, option));
    return made;
}

nghttp2_data_provider data_of(Stream& stream)
{
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = Callbacks::read_data;
    return provider;
}

NameValues& fresh_name_values()
{
    thread_local NameValues list;
    list.clear();
    return list;
}

} // namespace sallyport::http2
