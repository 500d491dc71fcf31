#include "sallyport/net/poller.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <sys/eventfd.h>

#include "sallyport/base/start_error.hpp"

namespace sallyport::net {

Watch::~Watch()
{
    if (poller_ != nullptr) poller_->drop_from_batch(*this);
}

void Watch::note(std::uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer_finished_ = true;
    if ((events & EPOLLERR) != 0) broken_ = true;
}

Poller::Poller() : epoll_{::epoll_create1(EPOLL_CLOEXEC)}, bell_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}
{
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}}; // nobody waits for it
    if (!epoll_ || !bell_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &event) != 0)
        throw StartError{ExitCode::os_error, "making an epoll: " + last_errno().message()};
}

void Poller::wake()
{
    // Full after 2^64 calls only.
    static_cast<void>(::eventfd_write(bell_.get(), 1));
}

Result<void> Poller::watch_stream(int fd, Watch& watch)
{
    return add(fd, watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

Result<void> Poller::watch_listener(int fd, Watch& watch, bool shared)
{
    return add(fd, watch, EPOLLIN | EPOLLET | (shared ? static_cast<std::uint32_t>(EPOLLEXCLUSIVE) : 0U));
}

Result<void> Poller::add(int fd, Watch& watch, std::uint32_t events)
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = &watch;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno("watching a descriptor");
    watch.poller_ = this;
    return {};
}

void Poller::forget(int fd, Watch& watch)
{
    if (!watch.is_watched()) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    drop_from_batch(watch);
    watch.poller_ = nullptr;
}

void Poller::drop_from_batch(Watch& watch)
{
    if (watch.batch_index_ >= 0) batch_[static_cast<std::size_t>(watch.batch_index_)].data.ptr = nullptr;
    watch.batch_index_ = -1;
}

void Poller::wait(int limit_ms)
{
    const int ready = ::epoll_wait(epoll_.get(), batch_.data(), kBatch, limit_ms);
    ready_ = static_cast<std::size_t>(std::max(ready, 0));

    // Flags first: what a coroutine sees must not depend on its place in the batch.
    for (std::size_t i = 0; i < ready_; ++i) {
        auto* watch = static_cast<Watch*>(batch_[i].data.ptr);
        if (watch == nullptr) continue;
        watch->batch_index_ = static_cast<std::int32_t>(i);
        watch->note(batch_[i].events);
    }
}

void Poller::dispatch()
{
    for (epoll_event& event : std::span{batch_.data(), ready_})
        wake_waiters(event);
}

// Each resume may destroy the watch, which then has cleared its place in the batch.
void Poller::wake_waiters(epoll_event& event)
{
    const auto watch = [&event] { return static_cast<Watch*>(event.data.ptr); };
    if (watch() != nullptr && watch()->reader_ && watch()->readable_) std::exchange(watch()->reader_, nullptr).resume();
    if (watch() != nullptr && watch()->writer_ && watch()->writable_) std::exchange(watch()->writer_, nullptr).resume();
    if (watch() != nullptr && watch()->broken_ && watch()->partner_ != nullptr) {
        Watch& partner = *watch()->partner_;
        if (partner.reader_) std::exchange(partner.reader_, nullptr).resume();
        const bool goes_on = watch() != nullptr && watch()->partner_ == &partner; // else it may be gone
        if (goes_on && partner.writer_) std::exchange(partner.writer_, nullptr).resume();
    }
    if (watch() != nullptr && watch()->observer_ != nullptr) watch()->observer_->became_ready();
    if (watch() != nullptr) watch()->batch_index_ = -1;
}

} // namespace sallyport::net
