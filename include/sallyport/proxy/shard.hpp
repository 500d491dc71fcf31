// One thread's share of the proxy: an event loop with its listeners, TLS contexts, connections and counters.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/held_bytes.hpp"
#include "sallyport/tls/credentials.hpp"
#include "sallyport/tls/scratch.hpp"
#include "sallyport/tls/server_contexts.hpp"
#include "sallyport/tls/sign_channel.hpp"

namespace sallyport::net {
struct Detached;
}

namespace sallyport::proxy {

class Connection;
struct Listener;

/// An app.
struct Upstream {
    std::string name;
    SocketAddress address;
};

/// A listening socket of this shard with all that a connection from it needs.
struct Listener {
    std::string bind; ///< for the log
    UniqueFd fd;
    bool shared{};
    const Upstream* upstream{};
    tls::ServerContexts contexts;
};

/// What a shard has done so far. Read by other threads: each counter is written by the shard alone.
struct Counters {
    std::atomic<std::uint64_t> finished{0}; ///< ended in good order or by a peer
    std::atomic<std::uint64_t> cut{0};      ///< ended by us: drain or stop
};

/// Shares nothing with other shards but the (immutable) upstreams and a shared listener's socket.
///
/// Owns: its listeners and connections. Borrows: the upstreams and the sign channel.
/// Thread: `run` is the shard's thread; all other members belong to it, but those that say "any thread".
class Shard {
public:
    /// `limits.connections_max` is this shard's own share.
    Shard(const ipc::Limits& limits, std::vector<Listener> listeners, tls::SignChannel& keys);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    ~Shard();

    /// Serves until drained or stopped.
    void run();

    /// Any thread. New connections begin with these, one per listener in order; living ones keep what they have.
    void use_contexts(std::vector<tls::ServerContexts> contexts);
    /// Any thread. The ticket keys of all connections, living ones too; nothing else of the credentials is used.
    void use_tickets(std::shared_ptr<const tls::Credentials> credentials);
    /// Any thread. Accepts until the queues are empty, closes the listeners, lets connections end, cuts what is left
    /// after `timeout_ms`; run() then returns.
    void drain(std::uint32_t timeout_ms);

    /// Any thread.
    [[nodiscard]] const Counters& counters() const { return counters_; }

    /// A connection of this shard has ended.
    void count_end(bool cut);

private:
    friend class Connection;
    friend net::Detached accept_loop(Shard& shard, Listener& listener);
    friend class FreeSlot;

    /// A deadline that runs a member.
    class DrainDeadline final : public net::Deadline {
    public:
        explicit DrainDeadline(Shard& shard) : shard_{shard} {}

    private:
        void expired() override { shard_.cut_connections(); }
        Shard& shard_;
    };

    [[nodiscard]] bool full() const { return connections_ >= limits_.connections_max; }
    void begin_drain(std::uint32_t timeout_ms);
    void cut_connections();
    void end_if_drained();
    void enlist(Connection& connection);
    void dismiss(Connection& connection);
    void end_accepting(Listener& listener, net::Watch& watch);

    ipc::Limits limits_;
    std::vector<Listener> listeners_;
    tls::SignChannel& keys_;
    net::EventLoop loop_;
    net::HoldBudget budget_;
    tls::Scratch scratch_;
    Counters counters_;
    Connection* newest_{nullptr};
    std::uint32_t connections_{0};
    std::size_t accept_loops_{0};
    std::vector<std::coroutine_handle<>> waiting_for_slot_;
    std::vector<net::Watch*> listener_watches_;
    bool draining_{false};
    bool cutting_{false}; ///< the drain's time is over
    DrainDeadline drain_deadline_{*this};
};

} // namespace sallyport::proxy
