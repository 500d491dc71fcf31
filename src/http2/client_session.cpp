#include "sallyport/http2/client_session.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "sallyport/base/contract.hpp"
#include "sallyport/http/pseudo_fields.hpp"
#include "state.hpp"

namespace sallyport::http2 {

namespace {

using http::FieldName;

ClientStream& of(Stream& stream)
{
    return static_cast<ClientStream&>(stream);
}

void submit_settings(nghttp2_session* library, const Options& options)
{
    const auto head_max = static_cast<std::uint32_t>(options.limits.head_bytes);
    const std::array<nghttp2_settings_entry, 4> settings{{{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                                          {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window},
                                                          {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_max},
                                                          {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}};
    must_succeed(nghttp2_submit_settings(library, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
}

/// `length` has the digits of content-length.
void add_fields(const http::RequestHead& head, const http::RequestOptions& options, bool tunnel, bool has_body,
                std::array<char, 20>& length, NameValues& list)
{
    if (head.framing.kind == http::Framing::Kind::length)
        list.add_number("content-length", head.framing.length, length);
    if (head.expects_continue) list.add("expect", "100-continue");
    if (head.accepts_trailers) list.add("te", "trailers");
    for (const http::Field& field : head.fields) {
        const bool announces = field.id == FieldName::trailer && has_body;
        const bool proves = tunnel && field.id == FieldName::sec_websocket_key; // RFC 8441 §5: has no place
        if (!proves && (announces || http::is_copied(field, head.connection, options.edits)))
            list.add(field.name, field.value);
    }
    for (const http::Line& line : options.edits.added)
        list.add(line.name, line.value);
}

} // namespace

const http::ResponseHead* ClientStream::head() const
{
    return first_ == count_ ? nullptr : &heads_[first_]->head;
}

void ClientStream::pass_interim()
{
    if (first_ == count_ || !heads_[first_]->head.is_interim()) return;
    if (++first_ == count_) first_ = count_ = 0;
}

ClientSession::ClientSession(const Options& options, StreamPool<ClientStream>& pool)
    : Session{Role::client, options}, pool_{pool}, streams_max_{options.streams_max}
{
    submit_settings(state().raw(), options);
}

ClientSession::~ClientSession()
{
    release_all();
}

std::uint32_t ClientSession::room() const
{
    const State& s = state();
    if (s.failure || s.draining || s.peer_drains || nghttp2_session_check_request_allowed(s.raw()) == 0) return 0;
    const std::uint32_t theirs = nghttp2_session_get_remote_settings(s.raw(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    const std::size_t most = std::min(theirs, streams_max_);
    return static_cast<std::uint32_t>(most - std::min(most, s.open));
}

bool ClientSession::has_settings() const
{
    return state().peer_settings;
}

bool ClientSession::offers_extended_connect() const
{
    return nghttp2_session_get_remote_settings(state().raw(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

ClientStream& ClientSession::ask(const http::RequestHead& head, const http::RequestOptions& options, Follows follows)
{
    SALLYPORT_ASSERT(room() > 0);
    const bool tunnel = follows == Follows::tunnel;
    const bool has_body = follows != Follows::nothing;
    const bool needs_slash = head.path.empty() || head.path.starts_with('?');
    const std::string with_slash = needs_slash ? "/" + std::string{head.path} : std::string{};
    NameValues& list = fresh_name_values();
    list.add(":method", tunnel ? "CONNECT" : head.method_text);
    list.add(":scheme", "http");
    list.add(":authority", head.authority.empty() ? options.default_host : head.authority);
    list.add(":path", needs_slash ? std::string_view{with_slash} : head.path);
    if (tunnel) list.add(":protocol", "websocket");
    std::array<char, 20> length;
    add_fields(head, options, tunnel, has_body, length, list);

    ClientStream& stream = *pool_.take().release();
    const nghttp2_data_provider body = data_of(stream);
    const std::int32_t id = nghttp2_submit_request(state().raw(), nullptr, list.data(), list.size(),
                                                   has_body ? &body : nullptr, static_cast<Stream*>(&stream));
    SALLYPORT_ASSERT(id > 0);
    adopt(stream, id);
    stream.first_ = stream.count_ = 0;
    stream.refused_.reset();
    stream.asked_ = head.method;
    stream.extended_connect_ = tunnel;
    stream.can_be_replayed_ = false;
    hold(stream);
    mark_head_sent(stream, has_body);
    return stream;
}

Stream* ClientSession::begin_stream(std::int32_t /*id*/)
{
    return nullptr; // a push, which we forbid
}

std::string& ClientSession::head_text(Stream& stream)
{
    ClientStream& answer = of(stream);
    if (answer.count_ == answer.heads_.size()) answer.heads_.push_back(std::make_unique<ClientStream::Head>());
    return answer.heads_[answer.count_]->text;
}

bool ClientSession::head_arrived(Stream& stream, bool ended)
{
    ClientStream& answer = of(stream);
    HeadBlock& block = state().block;
    http::ResponseHead& head = answer.heads_[answer.count_]->head;
    http::clear(head);
    block.end(head.fields);
    answer.refused_ = block.refused();
    const auto complete = http::complete_response(block.pseudo(HeadBlock::status), answer.asked_, ended, head);
    if (!complete && !answer.refused_) answer.refused_ = complete.error();
    if (!answer.refused_ && answer.count_ == ClientStream::kHeadsMax)
        answer.refused_ = http::Refused{http::Refusal::too_many_fields};
    if (answer.refused_) {
        reset(answer, Code::protocol_error);
        return true;
    }
    ++answer.count_;
    if (answer.extended_connect_ && head.status >= 200 && head.status < 300) {
        head.status = 101;
        head.upgrade = "websocket";
        head.framing = {};
    }
    return !head.is_interim();
}

void ClientSession::cut_short(Stream& stream, Code code)
{
    of(stream).can_be_replayed_ = code == Code::refused_stream;
}

void ClientSession::give_back(Stream& stream)
{
    pool_.give(std::unique_ptr<ClientStream>{&of(stream)});
}

} // namespace sallyport::http2
