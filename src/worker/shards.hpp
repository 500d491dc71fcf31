// The worker's shards and their threads, as its control thread sees them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "changeover.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/metrics/figures.hpp"
#include "sallyport/proxy/shard.hpp"
#include "sallyport/tls/credentials.hpp"
#include "sallyport/tls/sign_channel.hpp"
#include "settings.hpp"

namespace sallyport::worker {

/// Owns: the shards, their sign channels and threads. Thread: the control thread.
class Shards {
public:
    /// Builds everything that may fail, before a thread exists: takes the listeners' sockets and the sign channels, and
    /// lets every key sign once. Throws StartError.
    /// Borrows: the page of figures.
    Shards(Settings& settings, const tls::Credentials& credentials, metrics::WorkerPage page);
    Shards(const Shards&) = delete;
    Shards& operator=(const Shards&) = delete;
    /// Waits for the threads; those that wait for `serve` end without having served.
    ~Shards();

    /// Every shard gets its thread, which waits for `serve`.
    void start();
    /// Every shard begins to accept.
    void serve();

    /// New channels to a new keyholder.
    void replace_sign_channels(std::vector<sys::Channel> channels);
    /// Begins to change over to these: new handshakes will use them. The error is a sentence; then everything stays as
    /// it was. Not while it is under way.
    [[nodiscard]] std::expected<void, std::string> use(const tls::Credentials& credentials);
    [[nodiscard]] Changeover& changeover() { return changeover_; }

    /// The ticket keys of all connections, living ones too; nothing else of the credentials is used.
    void use_tickets(const std::shared_ptr<const tls::Credentials>& credentials);

    void drain(const ipc::Drain& order);

    /// Asks every shard for a sign of life, unless it owes one already.
    void ask();
    /// Those that owe one, and run.
    [[nodiscard]] std::vector<std::size_t> silent() const;
    /// The apps have not all accepted yet, and clients were to wait for that.
    [[nodiscard]] bool awaits_apps() const { return awaits_apps_; }
    /// As upstream::Upstream has it: of all shards the latest.
    [[nodiscard]] std::uint64_t latest_attempt(std::size_t upstream) const;

    /// Readable when the last shard has ended.
    [[nodiscard]] int ended_fd() const { return ended_.get(); }
    /// Waits for the threads; what became of the connections since the drain.
    [[nodiscard]] ipc::Drained join();

private:
    using Contexts = proxy::Shard::Contexts;
    [[nodiscard]] std::expected<Contexts, std::string> build_contexts(const tls::Credentials& credentials) const;
    [[nodiscard]] std::vector<proxy::Listener> listeners_of(std::size_t shard, Settings& settings, Contexts contexts);
    void pass_on(std::size_t from);
    void wait_for_apps();
    void run(std::size_t shard);

    metrics::WorkerPage page_;
    std::vector<ipc::TlsSettings> policies_;               ///< one per listener
    std::vector<std::unique_ptr<const site::Site>> sites_; ///< one per listener; nullptr: mode tcp
    std::deque<tls::SignChannel> keys_;                    ///< one per shard
    Changeover changeover_{shards_};                       ///< before the shards: their loops may hold work of it
    std::vector<std::unique_ptr<proxy::Shard>> shards_;
    UniqueFd ended_;
    /// What the control thread knows of a shard's thread.
    struct Life {
        std::atomic<bool> owes_sign{false};
        std::atomic<bool> has_ended{false};
    };
    std::deque<Life> lives_; ///< one per shard
    std::atomic<bool> awaits_apps_{false};
    std::atomic<std::size_t> running_{0};
    std::latch may_go_on_{1};
    std::atomic<bool> serves_{false};
    std::vector<std::jthread> threads_; ///< last, so that they end before what they use
};

} // namespace sallyport::worker
