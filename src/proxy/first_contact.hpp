// What a shard does before the first client: it waits until every app has accepted a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/task.hpp"
#include "sallyport/upstream/upstream.hpp"

namespace sallyport::proxy {

/// Connects to the apps, one after the other and again and again, until each has accepted once. The connection waits in
/// the pool for the first request. Borrows: the loop and the apps. Thread: the shard's.
class FirstContact final : private net::Deadline {
public:
    struct Plan {
        std::size_t apps{};           ///< how many there are
        std::uint32_t connect_ms{};   ///< for one attempt
        std::uint32_t limit_ms{};     ///< after which clients are let in all the same
        std::function<void()> let_in; ///< every app has accepted, or the time is over; called once
        std::function<void()> met;    ///< every app has accepted; after `let_in`
        std::function<void()> ended;  ///< it is over, met or cancelled
    };

    FirstContact(Plan plan, net::EventLoop& loop, upstream::Upstreams& apps);

    void begin();
    /// Nobody waits any longer. It may take a moment: see `is_over`.
    void cancel();
    [[nodiscard]] bool is_over() const { return over_; }

private:
    static constexpr net::Tick kPause = 100; ///< between two attempts

    net::Detached run();
    [[nodiscard]] net::Task<bool> reach(std::size_t app);
    [[nodiscard]] net::Task<bool> try_once(std::size_t app);
    void let_in();
    void expired() override;

    Plan plan_;
    net::EventLoop& loop_;
    upstream::Upstreams& apps_;
    upstream::Attempt* attempt_{nullptr};
    net::Tick limit_{0};
    bool has_let_in_{false};
    bool cancelled_{false};
    bool over_{true};
};

} // namespace sallyport::proxy
