// One shard's event loop: it waits in our own epoll; what other threads hand over is Asio's.
#pragma once

#include <atomic>
#include <coroutine>
#include <functional>
#include <memory>
#include <vector>

#include "sallyport/net/poller.hpp"
#include "sallyport/net/timer_wheel.hpp"

namespace sallyport::net {

/// One thread runs it. src/ARCHITECTURE.md says why the wait is not Asio's.
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
    void arm(Deadline& deadline, Tick at);

private:
    struct Posted;
    void turn();
    [[nodiscard]] int patience() const;

    Poller poller_;
    Tick now_;
    TimerWheel wheel_;
    std::vector<std::coroutine_handle<>> yielded_;
    std::unique_ptr<Posted> posted_;
    std::atomic<bool> has_posted_{false};
    std::atomic<bool> stopped_{false};
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
