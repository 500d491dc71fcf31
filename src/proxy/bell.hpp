// Something to do at the end of the turn, however often it was asked for.
#pragma once

#include <coroutine>
#include <utility>

#include "sallyport/net/event_loop.hpp"

namespace sallyport::proxy {

/// One coroutine waits, anybody rings. Thread: the shard's.
class Bell {
public:
    explicit Bell(net::EventLoop& loop) : loop_{loop} {}
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    void ring()
    {
        rung_ = true;
        if (waiting_) loop_.resume_later(std::exchange(waiting_, nullptr));
    }

    class Awaiter {
    public:
        explicit Awaiter(Bell& bell) : bell_{bell} {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting)
        {
            if (bell_.rung_)
                bell_.loop_.resume_later(waiting);
            else
                bell_.waiting_ = waiting;
        }
        void await_resume() const noexcept { bell_.rung_ = false; }

    private:
        Bell& bell_;
    };
    /// `co_await` it: until somebody rings, or has rung since the last time; then after what is ready now has had its
    /// turn.
    [[nodiscard]] Awaiter rung() { return Awaiter{*this}; }

private:
    net::EventLoop& loop_;
    std::coroutine_handle<> waiting_;
    bool rung_{false};
};

} // namespace sallyport::proxy
