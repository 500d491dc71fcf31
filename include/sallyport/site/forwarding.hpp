// What the app is told about the client: X-Forwarded-*, Forwarded (RFC 7239), X-Request-Id.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/http/head_writer.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/site/route.hpp"

namespace sallyport::site {

/// Proxies whose word counts.
class TrustedProxies {
public:
    TrustedProxies() = default;
    TrustedProxies(const std::vector<ipc::Network>& networks, bool unix_sockets)
        : networks_{networks}, unix_sockets_{unix_sockets}
    {
    }
    [[nodiscard]] bool contains(const SocketAddress& peer) const;

private:
    std::vector<ipc::Network> networks_;
    bool unix_sockets_{false};
};

/// What every request of a connection says of its client: 48 bytes, made once when it is accepted.
class ClientFacts {
public:
    ClientFacts() = default;
    ClientFacts(const SocketAddress& peer, bool trusted);

    /// "192.0.2.1", "2001:db8::1"; empty for a Unix socket, whose peer has none.
    [[nodiscard]] std::string_view address() const { return {address_.data(), size_}; }
    [[nodiscard]] bool trusted() const { return trusted_; }

private:
    std::array<char, 46> address_{};
    std::uint8_t size_{0};
    bool trusted_{false};
};
static_assert(sizeof(ClientFacts) == 48);

/// What makes a new request's id: 16 random bytes.
using RequestSeed = std::span<const std::byte, 16>;

/// The edits of one request's head, in storage that is reused: one per shard is enough, as nothing of it is needed
/// across a wait. Allocates only to grow.
class RequestEdits {
public:
    /// Sets everything anew. Borrows until the next call: the route, the head, the client.
    void prepare(const Route& route, const http::RequestHead& head, const ClientFacts& client, RequestSeed seed);

    [[nodiscard]] http::Edits edits() const { return {removed_, std::span{lines_}.first(count_)}; }
    /// The one that the app sees: the trusted proxy's, or ours. For the log and for error answers, too.
    /// Empty if a rule sets or removes X-Request-Id.
    [[nodiscard]] std::string_view request_id() const { return request_id_; }

private:
    void add(const http::Line& line) { lines_[count_++] = line; }
    void add_x_forwarded(const HeaderPlan& plan, const http::RequestHead& head, const ClientFacts& client);
    void add_x_forwarded_for(const http::RequestHead& head, const ClientFacts& client);
    void add_forwarded(const HeaderPlan& plan, const http::RequestHead& head, const ClientFacts& client);
    void add_request_id(const HeaderPlan& plan, const http::RequestHead& head, const ClientFacts& client,
                        RequestSeed seed);

    const http::NameSet* removed_{nullptr};
    std::vector<http::Line> lines_; ///< as many as there ever were
    std::size_t count_{0};          ///< of this request's: five push_back take 140 instructions more
    std::string text_;              ///< of values that are put together
    std::array<char, 32> id_{};
    std::string_view request_id_;
};

/// 32 hexadecimal digits.
void write_request_id(RequestSeed seed, std::span<char, 32> into);

/// An id that a trusted proxy may give: 1 to 128 letters, digits and -_.+=/:@
[[nodiscard]] bool is_request_id(std::string_view text);

} // namespace sallyport::site
