#include "sallyport/net/event_loop.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace sallyport::net {

namespace asio = boost::asio;

namespace {

Tick read_clock()
{
    using namespace std::chrono;
    return static_cast<Tick>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

} // namespace

struct EventLoop::Posted {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

EventLoop::EventLoop() : now_{read_clock()}, wheel_{now_}, posted_{std::make_unique<Posted>()} {}

EventLoop::~EventLoop() = default;

void EventLoop::run()
{
    while (!stopped_)
        turn();
}

void EventLoop::turn()
{
    poller_.wait(patience());
    now_ = read_clock();
    wheel_.catch_up(now_);
    const auto yielded = std::exchange(yielded_, {}); // who yields from now on lets the next wait come first
    poller_.dispatch();
    wheel_.advance(now_);
    for (const std::coroutine_handle<> waiting : yielded)
        waiting.resume();
    if (has_posted_.exchange(false)) posted_->context.poll();
}

int EventLoop::patience() const
{
    if (!yielded_.empty()) return 0;
    const auto look = wheel_.next_look();
    if (!look) return -1;
    return static_cast<int>(std::min<Tick>(*look > now_ ? *look - now_ : 0, std::numeric_limits<int>::max()));
}

void EventLoop::post(std::function<void()> work)
{
    asio::post(posted_->context, std::move(work));
    has_posted_ = true;
    poller_.wake();
}

void EventLoop::resume_later(std::coroutine_handle<> waiting)
{
    yielded_.push_back(waiting);
}

void EventLoop::stop()
{
    stopped_ = true;
    poller_.wake();
}

void EventLoop::arm(Deadline& deadline, Tick at)
{
    wheel_.arm(deadline, at);
}

void Sleep::await_suspend(std::coroutine_handle<> waiting)
{
    waiting_ = waiting;
    loop_.arm(*this, loop_.now() + milliseconds_);
}

} // namespace sallyport::net
