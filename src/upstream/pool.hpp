// Connections to one app that nobody uses now, kept for the next request.
#pragma once

#include <cstdint>
#include <optional>

#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/timer_wheel.hpp"
#include "sallyport/upstream/app_connection.hpp"

namespace sallyport::upstream {

/// Owns what it keeps: the last one given back is the first one taken, so that what is not needed grows old. One
/// deadline for all. Thread: the shard's.
class Pool final : private net::Deadline {
public:
    Pool(std::uint32_t idle_ms, std::uint32_t idle_max, net::EventLoop& loop);
    ~Pool() override;

    [[nodiscard]] AppConnectionPtr take();
    void give_back(AppConnectionPtr connection, std::optional<std::uint32_t> announced_s);
    void close_all();
    /// Those whose address has gone.
    void close_gone();
    void keep_no_more();
    [[nodiscard]] std::uint32_t size() const { return size_; }

private:
    friend class AppConnection;
    /// The app has closed one, or says something unasked.
    void ended(AppConnection& connection);
    void expired() override;

    void insert(AppConnection& connection);
    [[nodiscard]] AppConnectionPtr remove(AppConnection& connection);
    [[nodiscard]] net::Tick time_for(std::optional<std::uint32_t> announced_s) const;

    net::EventLoop& loop_;
    net::Tick idle_ms_;
    std::uint32_t idle_max_;
    std::uint32_t size_{0};
    AppConnection* newest_{nullptr};
    AppConnection* oldest_{nullptr};
    net::Tick looks_at_{0}; ///< when the deadline strikes, if it is armed
};

} // namespace sallyport::upstream
