// The life of an HTTP/1.1 connection: idle → request head → exchange → idle … → close.
#include "http1_connection.hpp"

#include <array>
#include <optional>
#include <utility>

#include "appetite.hpp"
#include "exchange.hpp"
#include "http1_client.hpp"
#include "sallyport/http/head_scanner.hpp"

namespace sallyport::proxy {

namespace {

class Http1Session final : public HttpSession {
public:
    explicit Http1Session(HttpConnection& connection) : c{connection} { c.session = this; }
    ~Http1Session() override { c.session = nullptr; }

    void cancel() override;
    void drain() override;
    void expired() override;

    HttpConnection& c;
    Exchange* exchange{nullptr}; ///< the one in progress
    bool over{false};            ///< no request follows
    bool head_is_late{false};
    bool aborted{false};
    bool lingers{false}; ///< the client may still be sending what nobody reads

private:
    void end_idling();
};

/// What became of waiting for a head.
struct HeadRead {
    enum class Kind : std::uint8_t { whole, refused, late, ended };
    Kind kind;
    http::Refused refused{};
    net::Tick began{0}; ///< when its first bytes came
};

/// What has come is a head, a part of one, or more than one. True: `b.head` is whole, and `b.unread` is the rest.
std::expected<bool, http::Refused> take_head(ExchangeBuffers& b, http::HeadScanner& scanner, std::string_view text)
{
    const bool begun = !b.head.empty();
    if (begun) b.head.append(text);
    const std::string_view all = begun ? std::string_view{b.head} : text;
    const auto size = scanner.look(all);
    if (!size || *size == 0) {
        if (!begun) b.head.assign(text); // a refusal's view is of these bytes
        if (!size) return std::unexpected{size.error()};
        return false;
    }
    b.unread.assign(all.substr(*size));
    if (begun)
        b.head.resize(*size);
    else
        b.head.assign(text.substr(0, *size));
    return true;
}

HeadRead parse(const HttpConnection& c, ExchangeBuffers& b, net::Tick began)
{
    const auto parsed = http::parse_request(b.head, c.shard.bench().http_limits, b.request);
    if (!parsed) return {HeadRead::Kind::refused, parsed.error(), began};
    return {HeadRead::Kind::whole, {}, began};
}

/// What an earlier request, another client's maybe, has left in the buffers points to what is gone.
HeadRead not_parsed(ExchangeBuffers& b, HeadRead read)
{
    b.request = {};
    return read;
}

/// The end of what the client sends: a fault only in the midst of a head.
HeadRead end_of_requests(HttpConnection& c, const ExchangeBuffers& b, const Result<tls::Plain>& got)
{
    if (!b.head.empty()) c.note({Fault::truncated, Side::client, "reading a request"});
    if (!got && got.error().fault != Fault::truncated) c.note(got.error());
    return {HeadRead::Kind::ended};
}

/// Puts a head together from what comes. It waits for nothing itself: whoever asks it waits for the client in between.
class HeadReader {
public:
    HeadReader(Http1Session& session, ExchangeBuffers& buffers)
        : s_{session}, b_{buffers}, scanner_{session.c.shard.bench().http_limits}, began_{session.c.loop().now()}
    {
        s_.c.enter(Stage::request_head, s_.c.http().head_ms);
        b_.head.clear();
    }

    /// What came behind the request before. Nothing: it takes more.
    std::optional<HeadRead> look_behind()
    {
        const std::string behind = std::exchange(b_.unread, {});
        return behind.empty() ? std::nullopt : look(behind);
    }

    /// The client's side is readable, or, if `readable` is false, cancelled. Nothing: it takes more.
    std::optional<HeadRead> receive(bool readable)
    {
        if (s_.head_is_late) return not_parsed(b_, {HeadRead::Kind::late, {}, began_});
        if (!readable) return HeadRead{HeadRead::Kind::ended};
        const auto got = s_.c.client.receive(kReadBehind);
        if (!got || (got->end && got->bytes.empty())) return end_of_requests(s_.c, b_, got);
        if (got->bytes.empty()) return std::nullopt;
        return look({reinterpret_cast<const char*>(got->bytes.data()), got->bytes.size()});
    }

private:
    std::optional<HeadRead> look(std::string_view text)
    {
        const auto whole = take_head(b_, scanner_, text);
        if (!whole) return not_parsed(b_, {HeadRead::Kind::refused, whole.error(), began_});
        return *whole ? std::optional{parse(s_.c, b_, began_)} : std::nullopt;
    }

    Http1Session& s_;
    ExchangeBuffers& b_;
    http::HeadScanner scanner_;
    net::Tick began_;
};

void begin_exchange(Http1Session& s, Exchange& x, Http1Client& stream, const HeadRead& head)
{
    x.account.began = head.began;
    if (head.kind == HeadRead::Kind::refused) x.refuse(head.refused);
    if (head.kind == HeadRead::Kind::late) x.fail(site::Reason::header_timeout);
    if (x.failed())
        stream.end_after_response();
    else
        stream.begin(x.request, s.c.requests < s.c.http().requests_max && !s.c.shard.draining());
    s.exchange = &x;
}

void end_exchange(Http1Session& s, const Exchange& x, const Http1Client& stream)
{
    s.exchange = nullptr;
    s.aborted = stream.aborted();
    s.lingers = x.account.status != 0 && (x.failed() || !stream.request_ended());
}

/// More has come than anybody reads: closing on it would be a reset.
bool has_more(HttpConnection& c, const ExchangeBuffers& buffers)
{
    return !buffers.unread.empty() || !c.client.socket().watch().quiet();
}

/// A request, and those that have come behind it. The buffers are lent for this long: an idle connection has none.
net::Task<void> serve_burst(Http1Session& s)
{
    HttpConnection& c = s.c;
    const BorrowedBuffers buffers{c.shard.bench().spare_buffers};
    buffers->unread.clear();
    Http1Client stream{c.client, buffers->unread, c.shard.bench().out, c.shard.bench().http_limits};
    do {
        HeadReader reader{s, *buffers};
        auto head = reader.look_behind();
        while (!head) {
            const bool readable = co_await c.client.readable();
            head = reader.receive(readable);
        }
        s.over = head->kind == HeadRead::Kind::ended || (head->kind == HeadRead::Kind::late && buffers->head.empty());
        if (s.over) co_return;
        ++c.requests;
        Exchange x{c, stream, buffers->request, *buffers, c.requests};
        begin_exchange(s, x, stream, *head);
        co_await serve_exchange(x);
        end_exchange(s, x, stream);
        stream.forget_read();
        s.over = !stream.persists() || c.shard.draining();
        if (s.over) s.lingers = s.lingers || has_more(c, *buffers);
    } while (!s.over && !buffers->unread.empty());
}

void Http1Session::cancel()
{
    std::array<net::Watch::Waiters, 2> waiting{c.client.socket().cancel(), {}};
    if (exchange != nullptr) waiting[1] = exchange->cancel();
    resume_all(waiting);
}

void Http1Session::end_idling()
{
    over = true;
    resume_all(c.client.socket().watch().wake());
}

void Http1Session::drain()
{
    if (exchange != nullptr)
        exchange->drain();
    else if (c.stage() == Stage::idle && !c.shard.replaced())
        end_idling();
}

// While an exchange is in progress, its own deadline counts.
void Http1Session::expired()
{
    if (exchange != nullptr) {
        c.enter(Stage::exchange, c.http().keep_alive_ms);
    } else if (c.stage() == Stage::idle) {
        end_idling();
    } else if (c.stage() == Stage::request_head) {
        head_is_late = true;
        resume_all(c.client.socket().watch().wake());
    } else {
        cancel();
    }
}

} // namespace

net::Task<void> serve_http1(HttpConnection& c)
{
    Http1Session s{c};
    while (!s.over) {
        if (c.requests == 0)
            c.enter(Stage::request_head, c.http().head_ms);
        else
            c.enter(Stage::idle, c.http().keep_alive_ms);
        const bool readable = co_await c.client.readable();
        if (!readable) co_return;
        if (s.head_is_late) s.over = true;
        if (!s.over) co_await serve_burst(s);
    }
    if (!s.aborted && !c.client.broken() && !c.was_cut()) co_await say_goodbye(c, s.lingers);
}

} // namespace sallyport::proxy
