// One request and its response: between a client's stream and an app's, whatever version of HTTP each speaks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "account.hpp"
#include "exchange_buffers.hpp"
#include "http1_app.hpp"
#include "http2_app.hpp"
#include "http_connection.hpp"
#include "sallyport/http/request_head.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/site/access_log.hpp"
#include "sallyport/site/http_limits.hpp"
#include "sallyport/site/reason.hpp"
#include "sallyport/site/route.hpp"
#include "stream.hpp"

namespace sallyport::proxy {

class FrameGuard;

/// What is being waited for, and so what its deadline means.
enum class Phase : std::uint8_t { begin, connect, request_body, response_head, response_body, tunnel };

/// Its story is `serve_exchange`. Owns: the app's stream. Borrows: the client's, the request's head and the buffers.
/// Thread: the shard's.
class Exchange final : public net::Deadline {
public:
    Exchange(HttpConnection& connection, ClientStream& client, const http::RequestHead& request,
             ExchangeBuffers& buffers, std::uint64_t number);
    ~Exchange() override;

    HttpConnection& connection;
    ClientStream& client;
    AppStream* app{nullptr};
    const http::RequestHead& request;
    ExchangeBuffers& buffers;
    const site::Route* route{nullptr};
    Account account;

    /// The head was refused: there is nothing but an answer.
    void refuse(const http::Refused& refused);

    void enter(Phase phase, std::uint32_t limit_ms);
    [[nodiscard]] Phase phase() const { return phase_; }
    /// Bytes have moved: the limit begins anew. One store.
    void progress() { postpone(shard().loop().now() + limit_ms_); }

    /// While the request's body is on its way: how long we wait for the client's next bytes, or for the app to take
    /// them. Once the response has begun it is a conversation, whose idle limit counts.
    void await_body();
    void took_body(std::uint64_t bytes);
    void await_app();

    /// It cannot end well any more: the first reason counts. Nothing is woken by it.
    void fail(site::Reason reason, std::string_view detail = {});
    void fail(const Error& error);
    [[nodiscard]] bool failed() const { return reason_ != site::Reason::none; }
    [[nodiscard]] site::Reason reason() const { return reason_; }

    /// Fails, and ends every wait of this exchange. May destroy it.
    void stop(site::Reason reason);
    /// The connection is cancelled: as Watch::cancel, of the app's side.
    [[nodiscard]] net::Watch::Waiters cancel();
    /// The shard drains: a WebSocket is told so. May end the exchange.
    void drain();
    /// For an answer of our own, which may be waited for again.
    void begin_answer();
    /// Both directions are to end, whatever they wait for.
    [[nodiscard]] bool over() const { return over_; }
    /// The response is through: what is left of the request's body interests nobody. Ends the upload's waits.
    void stop_upload();
    [[nodiscard]] bool upload_is_over() const { return over_ || upload_stopped_; }

    /// The app is to be asked once more, by a new connection: this one has died before it said a word, it was reused or
    /// there is another address, and asking twice does no harm. The failure is forgotten then.
    [[nodiscard]] bool begin_replay();

    void use_app(upstream::Upstream& upstream, upstream::AppConnectionPtr connection);
    void use_app(Http2AppConnection& connection);
    /// Its connection goes: back to the pool if the exchange has ended well.
    void leave_app();

    [[nodiscard]] Shard& shard() const { return connection.shard; }

    /// What its request id is made of, if the client's is not taken over: the same for a replay.
    [[nodiscard]] site::RequestSeed seed() const { return seed_; }

    const std::optional<http::Refused>& refused() const { return refused_; }
    [[nodiscard]] std::string_view detail() const { return detail_; }

    bool app_finished{false}; ///< of a tunnel: the app's direction has ended well
    upstream::Attempt* attempt{nullptr};
    net::Watch* line{nullptr};  ///< waits for somebody else's attempt
    FrameGuard* guard{nullptr}; ///< of a WebSocket's tunnel

private:
    void expired() override;
    [[nodiscard]] site::Reason what_expired() const;

    void attach(AppStream& stream);

    std::optional<Http1App> http1_;
    std::optional<Http2App> http2_;
    site::BodyPace pace_;
    net::Tick waiting_since_{0};
    bool grpc_; ///< a conversation from its beginning
    std::array<std::byte, 16> seed_;
    std::optional<http::Refused> refused_;
    std::string_view detail_;
    std::uint32_t limit_ms_{0};
    Phase phase_{Phase::begin};
    site::Reason reason_{site::Reason::none};
    bool over_{false};
    bool upload_stopped_{false};
};

/// route → reach the app → ask → relay both bodies → end; then one line in the log. When it returns, the client's
/// stream has had its whole answer, or was aborted.
[[nodiscard]] net::Task<void> serve_exchange(Exchange& x);

} // namespace sallyport::proxy
