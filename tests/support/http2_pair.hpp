// A session and its peer, and what goes between them cut anywhere.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "http2_frames.hpp"
#include "sallyport/http2/client_session.hpp"
#include "sallyport/http2/server_session.hpp"

namespace sallyport::http2::test {

inline std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span{text});
}

inline std::string text_of(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// All that there is to say now.
inline std::string output_of(Session& session, std::size_t buffer = 64 * 1024)
{
    std::string output;
    std::vector<std::byte> into(buffer);
    while (session.has_output()) {
        const std::size_t used = session.pull(into);
        if (used == 0) break;
        output += text_of(std::span{into}.first(used));
    }
    return output;
}

/// Feeds all of it, in pieces of random size up to `piece_max`.
class Cutter {
public:
    explicit Cutter(std::uint32_t seed, std::size_t piece_max) : random_{seed}, piece_max_{piece_max} {}
    void feed(Session& session, std::string_view text, std::uint64_t now = 0)
    {
        while (!text.empty()) {
            const std::size_t size = std::min(text.size(), 1 + random_() % piece_max_);
            session.feed(bytes_of(text.substr(0, size)), now);
            text.remove_prefix(size);
        }
    }

private:
    std::mt19937 random_;
    std::size_t piece_max_;
};

inline void feed(Session& session, std::string_view text, std::uint64_t now = 0)
{
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), Session::kFeedMax)))
        session.feed(bytes_of(text.substr(0, Session::kFeedMax)), now);
}

struct Pair {
    explicit Pair(std::uint32_t seed = 1, std::size_t piece_max = Session::kFeedMax, const Options& options = {})
        : cut{seed, piece_max}, server{options, server_streams}, client{options, client_streams}
    {
        settle();
    }

    /// Until neither has anything to say.
    void settle()
    {
        for (;;) {
            const std::string from_client = output_of(client);
            cut.feed(server, from_client);
            const std::string from_server = output_of(server);
            cut.feed(client, from_server);
            if (from_client.empty() && from_server.empty()) return;
        }
    }

    Cutter cut;
    StreamPool<ServerStream> server_streams;
    StreamPool<ClientStream> client_streams;
    ServerSession server;
    ClientSession client;
};

/// A head to be asked with: parsed from HTTP/1.1, as the proxy has it.
class Request {
public:
    explicit Request(std::string text) : text_{std::move(text)}
    {
        for (std::size_t at = 0; (at = text_.find('\n', at)) != std::string::npos; at += 2)
            text_.insert(at, 1, '\r');
        text_ += "\r\n";
        ok_ = http::parse_request(text_, {}, head_).has_value();
    }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] const http::RequestHead& head() const { return head_; }

private:
    std::string text_;
    http::RequestHead head_;
    bool ok_{false};
};

class Response {
public:
    explicit Response(std::string text, http::Method asked = http::Method::get) : text_{std::move(text)}
    {
        for (std::size_t at = 0; (at = text_.find('\n', at)) != std::string::npos; at += 2)
            text_.insert(at, 1, '\r');
        text_ += "\r\n";
        ok_ = http::parse_response(text_, {}, asked, head_).has_value();
    }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] const http::ResponseHead& head() const { return head_; }

private:
    std::string text_;
    http::ResponseHead head_;
    bool ok_{false};
};

inline ClientStream& ask(ClientSession& session, const http::RequestHead& head,
                         const http::RequestOptions& options = {})
{
    using Follows = ClientSession::Follows;
    if (!head.upgrade.empty()) return session.ask(head, options, Follows::tunnel);
    const bool empty = head.framing.kind == http::Framing::Kind::none;
    return session.ask(head, options, empty ? Follows::nothing : Follows::body);
}

/// As HTTP/1.1 would say it.
inline std::string written(const http::RequestHead& head)
{
    std::string text;
    http::write_request(text, head, {});
    std::erase(text, '\r');
    return text;
}

inline std::string written(const http::ResponseHead& head)
{
    std::string text;
    http::write_response(text, head, {.framing = http::framing_for(http::Version::http11, head)});
    std::erase(text, '\r');
    return text;
}

} // namespace sallyport::http2::test
