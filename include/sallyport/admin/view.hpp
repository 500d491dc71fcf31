// What the admin endpoint tells of, and whom it asks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/metrics/families.hpp"

namespace sallyport::admin {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Millis = std::chrono::milliseconds;

struct ListenerFacts {
    std::string bind;
    std::string mode; ///< "http", "tcp"
    bool tls{};
};

/// All that /status shows beside the metrics.
struct Status {
    std::uint32_t generation{};
    std::vector<std::string> unready{}; ///< reasons; empty: ready
    std::vector<ListenerFacts> listeners{};
    metrics::Picture picture;
};

/// The worker, as the endpoint asks it. Thread: the endpoint's.
class View {
public:
    View() = default;
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    virtual ~View() = default;

    /// Why new clients are not welcome; empty if they are.
    [[nodiscard]] virtual std::vector<std::string> unready() = 0;
    [[nodiscard]] virtual Status status() = 0;

    /// Asks every shard for a sign of life.
    virtual void ask_shards() = 0;
    /// The shards that have not answered the latest question yet, nor ended.
    [[nodiscard]] virtual std::vector<std::size_t> silent_shards() = 0;
};

} // namespace sallyport::admin
