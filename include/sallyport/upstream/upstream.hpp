// The apps of one shard: their addresses in turn, names looked up, and connections kept for the next request.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sallyport/base/result.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/held_bytes.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/upstream/app_connection.hpp"
#include "sallyport/upstream/attempt.hpp"
#include "sallyport/upstream/name_channel.hpp"

namespace sallyport::upstream {

class Resolver;
class Targets;

/// Which addresses an attempt may try.
enum class Among : std::uint8_t {
    all,
    unused, ///< to which no connection leads, and which are not passed over
};

/// An app, as one shard reaches it. Shares nothing with other shards.
///
/// Owns: its idle connections. Borrows: the loop and the budget. Thread: the shard's.
class Upstream {
public:
    Upstream(const ipc::Upstream& settings, std::uint32_t connect_ms, unsigned shard, net::EventLoop& loop,
             net::HoldBudget& budget);
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;
    ~Upstream();

    [[nodiscard]] std::string_view name() const { return settings_.name; }
    [[nodiscard]] ipc::AppProtocol protocol() const { return settings_.protocol; }
    /// What each connection begins with: the caller of connect() sends it.
    [[nodiscard]] ipc::SentProxyHeader proxy_header() const { return settings_.proxy_header; }
    /// How long a connection that nobody uses is kept.
    [[nodiscard]] std::uint32_t idle_ms() const { return settings_.idle_ms; }

    /// The connection that was given back last, or none. It was quiet when the present turn of the loop began: the app
    /// has neither closed it nor said anything. No system call.
    [[nodiscard]] AppConnectionPtr take_idle();

    /// A new connection, to the next address in turn. One that refuses, cannot be reached or takes its share of the
    /// connect timeout is passed over for `skip_refused`, and the next has its turn at once; if all are, they are tried
    /// all the same. Waits for the first answer to a name that has had none.
    /// Errors: that of the address tried last; no_route: a name has no address, or none is unused; aborted: cancelled.
    /// The connect timeout as a whole is the caller's deadline; among unused ones each has its share.
    [[nodiscard]] net::Task<Result<AppConnectionPtr>> connect(Attempt& attempt, Among among = Among::all);

    /// For who keeps connections that many share.
    [[nodiscard]] bool has_several_addresses() const;
    [[nodiscard]] bool has_unused_address() const;

    /// Keeps it for take_idle() if it is fit for that: an exchange has ended, all of it was read, nothing is held, and
    /// neither side has said that it closes. `announced_s`: what the app's `Keep-Alive: timeout=` says; of that 80 %
    /// count. Closes it if it is not quiet, its address has gone, or the shard drains.
    void give_back(AppConnectionPtr connection, std::optional<std::uint32_t> announced_s = {});

    /// Closes what is idle, now and whenever given back.
    void keep_no_more();

    /// Begins to look names up.
    void start(Resolver& resolver);

    /// When the latest attempt to connect has ended, twice, and one more if it succeeded; 0: none has. Any thread.
    [[nodiscard]] std::uint64_t latest_attempt() const { return latest_attempt_.load(std::memory_order_relaxed); }

private:
    void note_attempt(bool has_succeeded);
    [[nodiscard]] Result<void> prepare(Attempt& attempt, Target& target);
    [[nodiscard]] AppConnectionPtr keep(Attempt& attempt, Target& target);

    ipc::Upstream settings_;
    std::uint32_t connect_ms_;
    net::EventLoop& loop_;
    net::HoldBudget& budget_;
    std::unique_ptr<Pool> pool_;
    std::unique_ptr<Targets> targets_;
    std::atomic<std::uint64_t> latest_attempt_{0};
};

/// What every shard is told of the apps.
struct Settings {
    std::vector<ipc::Upstream> upstreams;
    std::optional<ipc::NameService> names; ///< if an upstream has one
    std::uint32_t connect_ms{};
};

/// All upstreams of one shard, in the order of the messages. Thread: made anywhere, then the shard's.
class Upstreams {
public:
    /// `shard`: its number, so that not all begin with the same address. `names`: none without names.
    Upstreams(const Settings& settings, unsigned shard, NameChannel names, net::EventLoop& loop,
              net::HoldBudget& budget);
    Upstreams(const Upstreams&) = delete;
    Upstreams& operator=(const Upstreams&) = delete;
    ~Upstreams();

    /// Begins to look names up.
    void start();
    [[nodiscard]] Upstream& at(std::size_t index) { return *upstreams_.at(index); }
    [[nodiscard]] const Upstream& at(std::size_t index) const { return *upstreams_.at(index); }
    /// The shard drains: nothing idle is kept from now on.
    void keep_no_more();

private:
    std::vector<std::unique_ptr<Upstream>> upstreams_;
    std::unique_ptr<Resolver> resolver_; ///< last: its end ends what is asked for
};

} // namespace sallyport::upstream
