// The h2c connections of one shard to one app.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "http2_app_connection.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/tls/scratch.hpp"
#include "sallyport/upstream/upstream.hpp"

namespace sallyport::proxy {

/// Owns them. Thread: the shard's.
class Http2Apps {
public:
    /// What they need of their shard.
    struct Surroundings {
        net::EventLoop& loop;
        tls::Scratch& scratch;
        net::HoldBudget& budget;
        http2::StreamPool<http2::ClientStream>& streams;
        http2::Options options;
        upstream::Upstream& upstream;
    };
    explicit Http2Apps(const Surroundings& of_shard) : around{of_shard} {}
    Http2Apps(const Http2Apps&) = delete;
    Http2Apps& operator=(const Http2Apps&) = delete;
    ~Http2Apps();

    const Surroundings around;

    /// One that has room, or nullptr: where the app has several addresses, the one with the fewest exchanges.
    [[nodiscard]] Http2AppConnection* find();
    /// Connects to an address that has no connection yet, if there is one, while the others carry on.
    void spread();
    Http2AppConnection& add(upstream::AppConnectionPtr connection);

    /// Somebody connects: who comes meanwhile waits for that rather than connect too.
    [[nodiscard]] bool is_connecting() const { return connecting_; }
    void begin_connecting() { connecting_ = true; }
    void end_connecting();
    /// Something has changed that somebody may wait for.
    void wake_line();
    /// To be woken when that has ended, or when a connection is settled.
    void join(net::Watch& waiting) { line_.push_back(&waiting); }
    void leave(net::Watch& waiting) { std::erase(line_, &waiting); }

    /// The shard drains: each ends as soon as nobody uses it.
    void keep_no_more();
    [[nodiscard]] bool keeps() const { return keeps_; }
    /// One of them has ended: it is dropped in the next turn.
    void sweep_later();

private:
    net::Detached reach_unused();

    std::vector<std::unique_ptr<Http2AppConnection>> connections_;
    std::vector<net::Watch*> line_;
    std::size_t next_{0};                  ///< which has its turn, of those that have equally few
    upstream::Attempt* reaching_{nullptr}; ///< an unused address
    bool connecting_{false};
    bool keeps_{true};
};

} // namespace sallyport::proxy
