// The engine that waits: one edge-triggered epoll per shard, each descriptor registered once.
#pragma once

#include <array>

#include <sys/epoll.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/net/watch.hpp"

namespace sallyport::net {

/// Everything above waits through Watch; another engine (io_uring) would replace this class and Watch's flags.
/// Thread: the shard's.
class Poller {
public:
    Poller();

    /// Watches for reading and writing. The kernel forgets the descriptor when it is closed.
    [[nodiscard]] Result<void> watch_stream(int fd, Watch& watch);
    /// Watches a listening socket. `shared`: several shards wait on it, one is woken (EPOLLEXCLUSIVE).
    [[nodiscard]] Result<void> watch_listener(int fd, Watch& watch, bool shared);
    /// Watches it no more, if it did; it may be watched again.
    void forget(int fd, Watch& watch);

    /// Waits until something is ready, for at most so many milliseconds (-1: without a limit), and takes it.
    void wait(int limit_ms);
    /// Resumes whoever waits for what was taken.
    void dispatch();
    /// Any thread: ends the wait, the present one or the next.
    void wake();

private:
    friend class Watch;
    [[nodiscard]] Result<void> add(int fd, Watch& watch, std::uint32_t events);
    /// The watch is gone: nothing of the running batch may reach it.
    void drop_from_batch(Watch& watch);
    static void wake_waiters(epoll_event& event);

    static constexpr int kBatch = 256;
    UniqueFd epoll_;
    UniqueFd bell_; ///< an eventfd, edge-triggered, so that nobody needs to read it
    std::array<epoll_event, kBatch> batch_{};
    std::size_t ready_{0};
};

} // namespace sallyport::net
