// One attempt to reach an app, as whoever waits for it sees it: something that can be cancelled.
#pragma once

#include <coroutine>
#include <utility>

#include "sallyport/net/timer_wheel.hpp"
#include "sallyport/net/watch.hpp"
#include "sallyport/upstream/app_connection.hpp"

namespace sallyport::upstream {

class WaitingLine;

/// Kept by the caller of Upstream::connect until that has ended, where the caller's own cancelling finds it:
///
///     upstream::Attempt attempt;
///     c.connecting = &attempt;
///     auto connected = co_await upstream.connect(attempt);
///     c.connecting = nullptr;
///
/// Thread: the shard's.
class Attempt final : private net::Deadline {
public:
    Attempt() = default;
    ~Attempt() override;

    /// Makes connect() end with Fault::aborted. As Watch::cancel: hands out who waits, to be resumed when everything
    /// of the caller's is cancelled (the first to run may end the caller, and this with it).
    [[nodiscard]] net::Watch::Waiters cancel();
    [[nodiscard]] bool cancelled() const { return cancelled_; }

private:
    friend class Targets;
    friend class Upstream;
    friend class WaitingLine;
    /// One of several addresses has had its time; the next has its turn.
    void expired() override;

    void wait_in(WaitingLine& line, std::coroutine_handle<> waiting);

    AppConnectionPtr connecting_;
    std::coroutine_handle<> waiting_; ///< for a name, in the line of those who do
    WaitingLine* line_{nullptr};
    Attempt* earlier_{nullptr};
    Attempt* later_{nullptr};
    bool cancelled_{false};
    bool timed_out_{false};
};

} // namespace sallyport::upstream
