// The worker's shards and their threads, as its control thread sees them.
#pragma once

#include <atomic>
#include <deque>
#include <expected>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
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
    Shards(Settings& settings, const tls::Credentials& credentials);
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
    /// New connections use these. The error is a sentence; then everything stays as it was.
    [[nodiscard]] std::expected<void, std::string> use(const tls::Credentials& credentials);

    /// The ticket keys of all connections, living ones too; nothing else of the credentials is used.
    void use_tickets(const std::shared_ptr<const tls::Credentials>& credentials);

    void drain(std::uint32_t timeout_ms);
    /// Readable when the last shard has ended.
    [[nodiscard]] int ended_fd() const { return ended_.get(); }
    /// Waits for the threads; what became of all connections.
    [[nodiscard]] ipc::Drained join();

private:
    using Contexts = std::vector<tls::ServerContexts>; ///< one per listener
    [[nodiscard]] std::expected<Contexts, std::string> build_contexts(const tls::Credentials& credentials) const;
    [[nodiscard]] std::vector<proxy::Listener> listeners_of(std::size_t shard, Settings& settings, Contexts contexts);
    void run(std::size_t shard);

    std::vector<ipc::TlsSettings> policies_; ///< one per listener
    std::vector<proxy::Upstream> upstreams_; ///< never grows: listeners point into it
    std::deque<tls::SignChannel> keys_;      ///< one per shard
    std::vector<std::unique_ptr<proxy::Shard>> shards_;
    UniqueFd ended_;
    std::atomic<std::size_t> running_{0};
    std::latch may_go_on_{1};
    std::atomic<bool> serves_{false};
    std::vector<std::jthread> threads_; ///< last, so that they end before what they use
};

} // namespace sallyport::worker
