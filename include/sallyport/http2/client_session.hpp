// An app's HTTP/2 connection (h2c): requests out, responses in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sallyport/http/head_writer.hpp"
#include "sallyport/http/request_head.hpp"
#include "sallyport/http/response_head.hpp"
#include "sallyport/http2/session.hpp"
#include "sallyport/http2/stream_pool.hpp"

namespace sallyport::http2 {

/// Our request and the app's response.
class ClientStream final : public Stream {
public:
    /// The response's head, or the first interim one that nobody has passed over; nullptr: not yet. As of HTTP/1.1: a
    /// body without a content-length is `chunked`, and `status` is 101 where the app accepts an extended CONNECT.
    /// Valid until `pass_interim`, or release.
    [[nodiscard]] const http::ResponseHead* head() const;
    /// To what follows an interim head.
    void pass_interim();
    /// Why the response is none that may be passed on (502); the stream is then broken.
    [[nodiscard]] const std::optional<http::Refused>& refused() const { return refused_; }
    /// `broken()`, and the app has not begun with it (REFUSED_STREAM, or above its GOAWAY's last stream): it may be
    /// asked again, whatever the method.
    [[nodiscard]] bool can_be_replayed() const { return can_be_replayed_; }

private:
    friend class ClientSession;
    struct Head {
        std::string text;
        http::ResponseHead head;
    };
    /// Interim heads that nobody has looked at: more are none that anybody waits for.
    static constexpr std::size_t kHeadsMax = 16;

    std::vector<std::unique_ptr<Head>> heads_; ///< reused: see first_ and count_
    std::size_t first_{0};
    std::size_t count_{0};
    std::optional<http::Refused> refused_;
    http::Method asked_{http::Method::get};
    bool extended_connect_{false};
    bool can_be_replayed_{false};
};

class ClientSession final : public Session {
public:
    ClientSession(const Options& options, StreamPool<ClientStream>& pool);
    ~ClientSession() override;

    [[nodiscard]] ClientStream* next_news() { return static_cast<ClientStream*>(Session::next_news()); }

    /// How many more requests this connection takes now: by the app's limit (100 until it has told) and ours; 0 when
    /// the connection has ended or is about to.
    [[nodiscard]] std::uint32_t room() const;
    /// The app's SETTINGS have come.
    [[nodiscard]] bool has_settings() const;
    /// The app takes extended CONNECT (RFC 8441); its SETTINGS say it.
    [[nodiscard]] bool offers_extended_connect() const;

    /// What follows a request's head.
    enum class Follows : std::uint8_t {
        nothing,
        body,
        tunnel ///< an upgrade to "websocket" becomes an extended CONNECT; the app must offer it
    };
    /// A request's head as http::write_request would write it, but for its upgrade; `room()` must be > 0. Borrows
    /// nothing. The stream is the caller's until release.
    [[nodiscard]] ClientStream& ask(const http::RequestHead& head, const http::RequestOptions& options,
                                    Follows follows);

private:
    Stream* begin_stream(std::int32_t id) override;
    bool head_arrived(Stream& stream, bool ended) override;
    std::string& head_text(Stream& stream) override;
    void cut_short(Stream& stream, Code code) override;
    void give_back(Stream& stream) override;

    StreamPool<ClientStream>& pool_;
    std::uint32_t streams_max_;
};

} // namespace sallyport::http2
