// One thread's share of the proxy: an event loop with its listeners, TLS contexts, connections and counters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/metrics/figures.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/proxy/proxy_headers.hpp"
#include "sallyport/site/site.hpp"
#include "sallyport/tls/credentials.hpp"
#include "sallyport/tls/server_contexts.hpp"
#include "sallyport/tls/sign_channel.hpp"
#include "sallyport/upstream/upstream.hpp"

namespace sallyport::net {
struct Detached;
}

namespace sallyport::proxy {

class Connection;
struct Listener;

class FirstContact;
class Http2Apps;
class Roster;
class Workbench;

/// A listening socket of this shard with all that a connection from it needs.
struct Listener {
    std::string bind; ///< for the log
    UniqueFd fd;
    bool shared{};
    std::uint32_t upstream{};        ///< of mode tcp
    const site::Site* site{nullptr}; ///< of mode http; nullptr: mode tcp
    ProxyHeaders proxy_headers{};
    std::optional<tls::ServerContexts> contexts; ///< none: plain text
};

/// How a shard reaches the apps.
struct Apps {
    upstream::Settings settings;
    upstream::NameChannel names; ///< none without names
    unsigned shard{};            ///< its number
};

/// Shares nothing with other shards but a shared listener's socket.
///
/// Owns: its listeners, its upstreams and connections. Borrows: the sign channel and the figures.
/// Thread: `run` is the shard's thread; all other members belong to it, but those that say "any thread".
class Shard {
public:
    using Contexts = std::vector<std::optional<tls::ServerContexts>>; ///< one per listener; none: plain text

    struct Plan {
        ipc::Limits limits; ///< `connections_max` is this shard's own share
        Apps apps;
        std::vector<Listener> listeners;
        ipc::AccessLog access;
        std::uint32_t wait_ms{0}; ///< not 0: no client is taken before `let_in`
        /// On its thread: of a shared listener's client it alone was told, and has no room. Others are to `look_again`.
        std::function<void()> pass_on{};
    };
    /// Throws StartError.
    Shard(Plan plan, tls::SignChannel& keys, metrics::ShardFigures& figures);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    ~Shard();

    /// Any thread, once: `run` begins to serve. Before `drain`, so that whoever is in the queue is served first.
    void begin();
    /// Serves until drained.
    void run();

    /// Before `begin`, of one shard only: it looks whether every app accepts. On its thread: `let_in` when they do, or
    /// when the wait is over; `met` when they do.
    void meet_apps(std::function<void()> let_in, std::function<void()> met);
    /// Any thread. Begins to accept, if the plan has it wait.
    void let_in();

    /// Any thread. New handshakes begin with these, one per listener in order; living connections keep what they have.
    /// Then, on the shard's thread, `done`.
    void use_contexts(Contexts contexts, std::function<void()> done);
    /// Any thread. The ticket keys of all connections, living ones too; nothing else of the credentials is used.
    void use_tickets(std::shared_ptr<const tls::Credentials> credentials);
    /// Any thread. Runs it on the shard's thread, if the shard still runs.
    void call(std::function<void()> work) { loop_.post(std::move(work)); }
    /// Any thread. See upstream::Upstream.
    [[nodiscard]] std::uint64_t latest_attempt(std::size_t upstream) const
    {
        return upstreams_.at(upstream).latest_attempt();
    }
    /// Any thread. Accepts who waits, as if it had just been told of them.
    void look_again();
    /// Any thread. Accepts until the queues are empty, closes the listeners, lets connections end, cuts what is left
    /// when the time is over; run() then returns. A later order counts in place of the one before, but gives
    /// no more time.
    void drain(const ipc::Drain& order);
    /// After `run`: what became of the connections that lived when the drain began, or came later.
    [[nodiscard]] ipc::Drained drained() const;

    // What connections and exchanges have of their shard.
    [[nodiscard]] net::EventLoop& loop() { return loop_; }
    [[nodiscard]] Workbench& bench() { return *bench_; }
    [[nodiscard]] const ipc::Limits& limits() const { return limits_; }
    [[nodiscard]] upstream::Upstream& upstream(std::size_t index) { return upstreams_.at(index); }
    /// The connections to an upstream that speaks h2c.
    [[nodiscard]] Http2Apps& http2_apps(std::size_t index);
    [[nodiscard]] bool draining() const { return draining_; }
    /// It drains because another generation serves: see ipc::Drain.
    [[nodiscard]] bool replaced() const { return replaced_; }
    /// What it has done so far; it alone writes there.
    [[nodiscard]] metrics::ShardFigures& figures() { return figures_; }
    /// A connection that begins, and one that has ended.
    void enlist(Connection& connection);
    void dismiss(Connection& connection);

private:
    friend net::Detached accept_loop(Shard& shard, Listener& listener);

    /// A deadline that runs a member.
    class DrainDeadline final : public net::Deadline {
    public:
        explicit DrainDeadline(Shard& shard) : shard_{shard} {}

    private:
        void expired() override { shard_.cut_connections(); }
        Shard& shard_;
    };

    void try_watching();
    void begin_accepting();
    [[nodiscard]] std::uint64_t finished() const;
    void obey(const ipc::Drain& order);
    void begin_drain();
    void cut_connections();
    void end_if_drained();
    [[nodiscard]] bool leave_queue(const Listener& listener, net::Watch& watch, bool told);
    void end_accepting(Listener& listener, net::Watch& watch);

    ipc::Limits limits_;
    std::vector<Listener> listeners_;
    tls::SignChannel& keys_;
    metrics::ShardFigures& figures_;
    net::EventLoop loop_;
    std::unique_ptr<Workbench> bench_;
    upstream::Upstreams upstreams_;
    std::vector<std::unique_ptr<Http2Apps>> http2_apps_; ///< by the upstream's index; made when first asked for
    std::unique_ptr<Roster> roster_;
    std::size_t accept_loops_{0};
    std::vector<net::Watch*> listener_watches_;
    std::unique_ptr<FirstContact> first_contact_; ///< while the apps are waited for, in one shard
    std::function<void()> pass_on_;
    std::uint32_t wait_ms_;
    bool waits_; ///< to be let in
    bool runs_{false};
    bool draining_{false};
    bool replaced_{false};
    std::uint64_t finished_before_{0}; ///< the drain
    std::optional<net::Tick> cut_at_;  ///< when the drain's time is over
    bool cutting_{false};              ///< it is
    DrainDeadline drain_deadline_{*this};
};

} // namespace sallyport::proxy
