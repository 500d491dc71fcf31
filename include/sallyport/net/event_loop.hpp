// One shard's event loop: Asio for everything that is rare, our own epoll for the connections.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>

#include "sallyport/net/poller.hpp"
#include "sallyport/net/timer_wheel.hpp"

namespace sallyport::net {

/// One thread runs it. Asio owns the wait; the poller's epoll is one descriptor in it (src/ARCHITECTURE.md says why).
class EventLoop {
public:
    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    /// Runs until stop(). Thread: the shard's own; all members but post() and stop() belong to it while it runs.
    void run();

    /// Any thread. Runs `work` on the shard's thread.
    void post(std::function<void()> work);
    /// Resumes the coroutine after what is ready now has had its turn.
    void resume_later(std::coroutine_handle<> waiting);
    /// Any thread. run() returns after the present turn.
    void stop();

    [[nodiscard]] Poller& poller() { return poller_; }
    [[nodiscard]] TimerWheel& wheel() { return wheel_; }
    /// The time at the start of this turn: one clock read per turn, not per event.
    [[nodiscard]] Tick now() const { return now_; }
    /// The wheel's timer must know of a deadline armed outside of a turn.
    void arm(Deadline& deadline, Tick at);

private:
    struct Wait;
    void wait_for_readiness();
    void wait_for_time();
    void turn();

    Poller poller_;
    Tick now_;
    TimerWheel wheel_;
    std::unique_ptr<Wait> wait_;
};

/// `Sleep pause{loop, milliseconds}; co_await pause;` It cannot be cancelled, so it is kept short.
class Sleep final : public Deadline {
public:
    Sleep(EventLoop& loop, Tick milliseconds) : loop_{loop}, milliseconds_{milliseconds} {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting);
    void await_resume() const noexcept {}

private:
    void expired() override { waiting_.resume(); }

    EventLoop& loop_;
    Tick milliseconds_;
    std::coroutine_handle<> waiting_;
};

/// `co_await Yield{loop}`: lets the shard's other connections have their turn.
struct Yield {
    EventLoop& loop;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const { loop.resume_later(waiting); }
    void await_resume() const noexcept {}
};

} // namespace sallyport::net
