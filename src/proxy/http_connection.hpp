// `mode: http`: a client's connection, which carries exchanges.
#pragma once

#include "connection.hpp"
#include "sallyport/site/forwarding.hpp"

namespace sallyport::proxy {

/// What is spoken after the handshake. Lives in the coroutine that serves it.
class HttpSession {
public:
    HttpSession() = default;
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;
    virtual ~HttpSession() = default;

    /// As Connection has them. Each may end the connection, and this with it.
    virtual void cancel() = 0;
    virtual void drain() = 0;
    /// The deadline of the connection's stage.
    virtual void expired() = 0;
};

class HttpConnection final : public Connection {
public:
    HttpConnection(Shard& shard, const Listener& listener, UniqueFd accepted, const PeerAddress& peer);

    void cancel() override;
    void drain() override;

    site::ClientFacts facts;       ///< once it was welcomed
    HttpSession* session{nullptr}; ///< nullptr: before, and after
    std::uint64_t requests{0};     ///< that have begun

    [[nodiscard]] const site::Site& site() const { return *listener.site; }
    [[nodiscard]] const ipc::HttpLimits& http() const { return limits().http; }

private:
    void expired() override;
};

/// Our end is said. `lingers`: then what the client still sends is read and dropped, for a while, so that a reset does
/// not take from it what it has not read yet (RFC 9112 §9.6). A drain waits no longer for that than for last words.
[[nodiscard]] net::Task<void> say_goodbye(HttpConnection& c, bool lingers);

/// The story: (PROXY header) → handshake → requests, each with its response. Runs at once; the connection is gone when
/// it ends.
net::Detached serve_http(Shard& shard, const Listener& listener, UniqueFd accepted, PeerAddress peer);

} // namespace sallyport::proxy
