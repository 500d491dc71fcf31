// The client's HTTP/2 connection: requests in, responses out.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "sallyport/http/head_writer.hpp"
#include "sallyport/http/request_head.hpp"
#include "sallyport/http2/session.hpp"
#include "sallyport/http2/stream_pool.hpp"

namespace sallyport::http2 {

/// A client's request and our response. It is first news when its head is complete; a caller holds it from then on.
class ServerStream final : public Stream {
public:
    /// As of HTTP/1.1, so that routes, header rules, the writer and the log need not know the difference. Valid until
    /// release. `version` is http2; `:authority` is `authority` and a field `host` too; cookie crumbs are one `cookie`;
    /// a body without a content-length is `chunked`.
    ///
    /// A WebSocket (RFC 8441: CONNECT with `:protocol = websocket`) is the HTTP/1.1 upgrade that it stands for: GET,
    /// `upgrade` is "websocket", and a `sec-websocket-key` has been made and stands among the fields. Respond with
    /// the app's 101: the client gets a 200, and the DATA of both sides is the tunnel. (It gets a 502 for the app's
    /// 2xx.)
    [[nodiscard]] const http::RequestHead& head() const { return head_; }
    /// Why the request is not to be passed on: answer with its status. The head holds what was understood.
    [[nodiscard]] const std::optional<http::Refused>& refused() const { return refused_; }

private:
    friend class ServerSession;
    std::string text_;
    http::RequestHead head_;
    std::optional<http::Refused> refused_;
    bool extended_connect_{false};
    std::array<char, 24> websocket_key_{};
};

class ServerSession final : public Session {
public:
    ServerSession(const Options& options, StreamPool<ServerStream>& pool);
    ~ServerSession() override;

    [[nodiscard]] ServerStream* next_news() { return static_cast<ServerStream*>(Session::next_news()); }

    /// A response's head, or an interim one, as http::write_response would write it: without what belongs to the app's
    /// connection and without what the edits remove. `has_body` false: nothing follows. Otherwise `send` and `finish`
    /// do. Borrows nothing. To an extended CONNECT a 2xx would be the tunnel (RFC 8441 §5): only a 101 stands for it
    /// here.
    void respond(ServerStream& stream, const http::ResponseHead& head, const http::Edits& edits, bool has_body);

private:
    Stream* begin_stream(std::int32_t id) override;
    bool head_arrived(Stream& stream, bool ended) override;
    std::string& head_text(Stream& stream) override;
    void cut_short(Stream& stream, Code code) override;
    void give_back(Stream& stream) override;

    http::Limits limits_;
    StreamPool<ServerStream>& pool_;
};

} // namespace sallyport::http2
