#include "sallyport/http2/server_session.hpp"

#include <array>
#include <charconv>

#include "sallyport/http/pseudo_fields.hpp"
#include "state.hpp"
#include "websocket_key.hpp"

namespace sallyport::http2 {

namespace {

using http::FieldName;

ServerStream& of(Stream& stream)
{
    return static_cast<ServerStream&>(stream);
}

http::RequestPseudoFields said_by(const HeadBlock& block)
{
    return {.method = block.pseudo(HeadBlock::method),
            .scheme = block.pseudo(HeadBlock::scheme),
            .authority = block.pseudo(HeadBlock::authority),
            .path = block.pseudo(HeadBlock::path),
            .protocol = block.pseudo(HeadBlock::protocol)};
}

/// RFC 8441 §5: what proves the HTTP/1.1 handshake has no place here.
bool proves_upgrade(const http::Field& field)
{
    return field.id == FieldName::other && field.name.size() == 20 &&
           (field.name == "sec-websocket-accept" || field.name == "Sec-WebSocket-Accept");
}

void submit_settings(nghttp2_session* library, const Options& options)
{
    const auto head_max = static_cast<std::uint32_t>(options.limits.head_bytes);
    const std::array<nghttp2_settings_entry, 5> settings{
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.streams_max},
         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window},
         {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_max},
         {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
         // RFC 9218: `priority` fields count, PRIORITY frames do not
         {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}};
    must_succeed(nghttp2_submit_settings(library, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
}

} // namespace

ServerSession::ServerSession(const Options& options, StreamPool<ServerStream>& pool)
    : Session{Role::server, options}, limits_{options.limits}, pool_{pool}
{
    submit_settings(state().raw(), options);
}

ServerSession::~ServerSession()
{
    release_all();
}

Stream* ServerSession::begin_stream(std::int32_t id)
{
    ServerStream* const stream = pool_.take().release();
    adopt(*stream, id);
    must_succeed(nghttp2_session_set_stream_user_data(state().raw(), id, static_cast<Stream*>(stream)));
    stream->refused_.reset();
    stream->extended_connect_ = false;
    http::clear(stream->head_);
    return stream;
}

bool ServerSession::head_arrived(Stream& stream, bool ended)
{
    ServerStream& request = of(stream);
    HeadBlock& block = state().block;
    http::RequestHead& head = request.head_;
    block.end(head.fields);
    request.refused_ = block.refused();
    const auto complete = http::complete_request(said_by(block), ended, limits_, head);
    if (!complete && !request.refused_) request.refused_ = complete.error();
    request.extended_connect_ = !head.upgrade.empty();
    if (request.extended_connect_) {
        request.websocket_key_ = make_websocket_key();
        head.fields.remove({FieldName::sec_websocket_key});
        head.fields.add(http::text(FieldName::sec_websocket_key),
                        {request.websocket_key_.data(), request.websocket_key_.size()});
    }
    hold(request);
    return true;
}

std::string& ServerSession::head_text(Stream& stream)
{
    return of(stream).text_;
}

void ServerSession::cut_short(Stream& /*stream*/, Code /*code*/) {}

void ServerSession::give_back(Stream& stream)
{
    pool_.give(std::unique_ptr<ServerStream>{&of(stream)});
}

void ServerSession::respond(ServerStream& stream, const http::ResponseHead& head, const http::Edits& edits,
                            bool has_body)
{
    if (!can_send_head(stream)) return;
    const bool tunnel = stream.extended_connect_ && head.status == 101;
    std::array<char, 5> status;
    std::array<char, 20> length;
    NameValues& list = fresh_name_values();
    list.add_number(":status", tunnel ? 200 : head.status, status);
    if (head.framing.kind == http::Framing::Kind::length)
        list.add_number("content-length", head.framing.length, length);
    if (head.length_without_body) list.add_number("content-length", *head.length_without_body, length);
    for (const http::Field& field : head.fields) {
        const bool announces = field.id == FieldName::trailer && has_body;
        if (!announces && !http::is_copied(field, head.connection, edits)) continue;
        if (!tunnel || !proves_upgrade(field)) list.add(field.name, field.value);
    }
    for (const http::Line& line : edits.added)
        list.add(line.name, line.value);
    if (head.is_interim()) {
        must_succeed(nghttp2_submit_headers(state().raw(), NGHTTP2_FLAG_NONE, stream.id(), nullptr, list.data(),
                                            list.size(), nullptr));
        return;
    }
    const nghttp2_data_provider body = data_of(stream);
    must_succeed(
        nghttp2_submit_response(state().raw(), stream.id(), list.data(), list.size(), has_body ? &body : nullptr));
    mark_head_sent(stream, has_body);
}

} // namespace sallyport::http2
