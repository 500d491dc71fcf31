#include "sallyport/net/event_loop.hpp"

#include <chrono>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sallyport::net {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

Tick read_clock()
{
    return static_cast<Tick>(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count());
}

} // namespace

struct EventLoop::Wait {
    using Executor = asio::io_context::executor_type;
    asio::io_context context{1};
    asio::executor_work_guard<Executor> work{context.get_executor()};
    asio::posix::basic_stream_descriptor<Executor> readiness{context};
    asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer{context};
    Tick timer_at{~Tick{0}};
};

EventLoop::EventLoop() : now_{read_clock()}, wheel_{now_}, wait_{std::make_unique<Wait>()}
{
    wait_->readiness.assign(poller_.fd());
}

EventLoop::~EventLoop()
{
    wait_->readiness.release(); // the poller closes it
}

void EventLoop::run()
{
    wait_for_readiness();
    wait_->context.run();
}

void EventLoop::post(std::function<void()> work)
{
    asio::post(wait_->context, [this, work = std::move(work)] {
        now_ = read_clock();
        work();
        wait_for_time();
    });
}

void EventLoop::resume_later(std::coroutine_handle<> waiting)
{
    asio::post(wait_->context, [this, waiting] {
        now_ = read_clock();
        waiting.resume();
        wait_for_time();
    });
}

void EventLoop::stop()
{
    wait_->context.stop();
}

void EventLoop::arm(Deadline& deadline, Tick at)
{
    wheel_.arm(deadline, at);
}

void EventLoop::wait_for_readiness()
{
    wait_->readiness.async_wait(asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
        if (error) return;
        turn();
        wait_for_readiness();
    });
}

void EventLoop::turn()
{
    now_ = read_clock();
    poller_.dispatch();
    wait_for_time();
}

// The timer is set anew only when something earlier has come: a connection that postpones its deadline costs nothing.
void EventLoop::wait_for_time()
{
    const auto look = wheel_.next_look();
    if (!look || *look >= wait_->timer_at) return;
    wait_->timer_at = *look;
    wait_->timer.expires_at(Clock::time_point{std::chrono::milliseconds{*look}});
    wait_->timer.async_wait([this](boost::system::error_code error) {
        if (error) return;
        wait_->timer_at = ~Tick{0};
        now_ = read_clock();
        wheel_.advance(now_);
        wait_for_time();
    });
}

void Sleep::await_suspend(std::coroutine_handle<> waiting)
{
    waiting_ = waiting;
    loop_.arm(*this, loop_.now() + milliseconds_);
}

} // namespace sallyport::net
