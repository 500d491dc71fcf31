// One client's connection: what every mode needs of it, in the frame of the coroutine that serves it.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <netinet/in.h>

#include "sallyport/net/task.hpp"
#include "sallyport/proxy/shard.hpp"
#include "sallyport/tls/tls_stream.hpp"
#include "workbench.hpp"

namespace sallyport::proxy {

/// Where a connection is in its story. One vocabulary for deadlines, log lines and src/ARCHITECTURE.md.
enum class Stage : std::uint8_t { proxy_header, handshake, connect, relay, request_head, idle, exchange, closing };
[[nodiscard]] std::string_view name(Stage stage);

/// A peer's address, as accept(2) gave it, without room for what only Unix sockets need.
struct PeerAddress {
    sockaddr_in6 storage{};
    socklen_t size{0};
    /// Of a Unix socket no path is kept.
    [[nodiscard]] static PeerAddress from(const SocketAddress& address);
    /// A Unix socket's client has none: an empty one.
    [[nodiscard]] SocketAddress address() const;
    [[nodiscard]] std::string text() const;
};

/// What a PROXY header has told.
struct Introduction {
    PeerAddress via;     ///< who told it: the load balancer
    SocketAddress local; ///< where the client connected to
};

/// Its deadline is the one deadline of the present stage. Thread: the shard's.
class Connection : public net::Deadline {
public:
    Connection(Shard& shard, const Listener& listener, UniqueFd accepted, const PeerAddress& peer);
    ~Connection() override;

    /// Starts a stage; its limit begins now.
    void enter(Stage stage, std::uint32_t limit_ms);
    /// Bytes have moved: the limit begins anew. One store.
    void touch() { postpone(shard.loop().now() + limit_ms_); }

    /// Ends every wait of this connection: its coroutines unwind with Fault::aborted. May destroy it.
    virtual void cancel() = 0;
    /// The shard drains: end as soon as nothing is lost by it. May destroy it.
    virtual void drain() {}
    /// Cuts it on our own account (drain, stop).
    void cut();
    /// Remembers the first failure.
    void note(const Error& failure);
    /// Notes a step's failure, and tells whether there was none.
    [[nodiscard]] bool went_well(const Result<void>& step);
    /// A failure that ends everything, and outweighs what was noted: remembers the first such cause, and cancels.
    void end_both(const Error& cause);

    /// The peer speaks for somebody else, who is the client from now on.
    void introduce(const SocketAddress& client, const SocketAddress& local);
    /// Where the client has connected to. A system call, unless a PROXY header has told it.
    [[nodiscard]] SocketAddress local_address();

    /// What ended it: success if nothing was noted.
    [[nodiscard]] Result<void> outcome() const;

    Shard& shard;
    const Listener& listener;
    PeerAddress peer; ///< the client's
    std::unique_ptr<const Introduction> introduction;
    net::Tick began;
    tls::TlsStream client;
    Connection* older{nullptr};
    Connection** link{nullptr};

    [[nodiscard]] Stage stage() const { return stage_; }
    [[nodiscard]] bool was_cut() const { return cut_; }
    [[nodiscard]] net::EventLoop& loop() { return shard.loop(); }
    [[nodiscard]] tls::Scratch& scratch() { return shard.bench().scratch; }
    [[nodiscard]] net::HoldBudget& budget() { return shard.bench().budget; }
    [[nodiscard]] const ipc::Limits& limits() const { return shard.limits(); }

protected:
    void expired() override;

private:
    std::optional<Error> cause_;
    std::uint32_t limit_ms_{0};
    Stage stage_{Stage::handshake};
    bool ending_{false}; ///< `cause_` is the one that ended both directions
    bool cut_{false};
};

/// Resumes all of them: the connection ends, and its frame is freed, when the last one has unwound. They are taken
/// before the first is resumed.
inline void resume_all(const net::Watch::Waiters& waiters)
{
    for (const std::coroutine_handle<> waiter : waiters)
        if (waiter) waiter.resume();
}
template <std::size_t N>
void resume_all(const std::array<net::Watch::Waiters, N>& waiting)
{
    for (const net::Watch::Waiters& waiters : waiting)
        resume_all(waiters);
}

/// The first steps of every connection, each within its deadline: (PROXY header) → handshake. False: it failed, which
/// is noted.
[[nodiscard]] net::Task<bool> welcome(Connection& c);
/// It came and went without a byte.
[[nodiscard]] bool is_probe(const Connection& c, const Result<void>& outcome);
/// Counts how it has ended.
void count_end(Connection& c, const Result<void>& outcome);
/// What is said after a failed handshake: its alert, which has gone out, or a hint to a client that spoke HTTP.
void end_handshake(Connection& c);

} // namespace sallyport::proxy
