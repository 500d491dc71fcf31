#include "accept_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "http_connection.hpp"
#include "roster.hpp"
#include "sallyport/log/log.hpp"
#include "tcp_connection.hpp"

namespace sallyport::proxy {

namespace {

/// How many are accepted before the connections at hand have their turn.
constexpr int kAcceptBatch = 32;

/// The pause after a failure: a lack of descriptors must not become a busy loop.
class Backoff {
public:
    [[nodiscard]] net::Tick next() { return std::exchange(pause_ms_, std::min(pause_ms_ * 2, kLongest)); }
    [[nodiscard]] bool fresh() const { return pause_ms_ == kShortest; }
    void reset() { pause_ms_ = kShortest; }

private:
    static constexpr net::Tick kShortest = 16;
    static constexpr net::Tick kLongest = 1024;
    net::Tick pause_ms_{kShortest};
};

UniqueFd accept(const Listener& listener, PeerAddress& peer)
{
    peer.size = sizeof peer.storage;
    UniqueFd accepted{::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC)};
    // A Unix socket's client may have a path, for which there is no room: the size is that of the whole.
    if (peer.storage.sin6_family == AF_UNIX) peer.size = sizeof(sa_family_t);
    return accepted;
}

/// accept(2), epoll_ctl(2).
bool lacks_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == ENOSPC;
}

/// accept(2): these are one client's, who is gone; the next may be taken at once.
bool concerns_one_client(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

/// 0, or why the next client would not be told of.
int watch_queue(net::Poller& poller, const Listener& listener, net::Watch& watch)
{
    watch.clear_readable();
    if (watch.is_watched()) return 0;
    const auto watched = poller.watch_listener(listener.fd.get(), watch, listener.shared);
    return watched ? 0 : watched.error().cause.value();
}

void count(Shard& shard, metrics::AcceptFailure failure)
{
    shard.figures().accept_failures[static_cast<std::size_t>(failure)].add();
}

} // namespace

// The queue is watched from when it is first seen empty: the kernel tells then of all who have come since. `told`: it
// has, and nobody was taken since.
net::Detached accept_loop(Shard& shard, Listener& listener)
{
    net::Watch watch;
    shard.listener_watches_.push_back(&watch);
    Backoff backoff;
    int accepted_in_a_row = 0;
    bool told = false;
    while (!shard.cutting_) {
        if (shard.roster_->full()) {
            if (shard.leave_queue(listener, watch, std::exchange(told, false))) break;
            co_await Roster::FreePlace{*shard.roster_};
            continue;
        }
        PeerAddress peer;
        UniqueFd accepted = accept(listener, peer);
        int error = errno;
        if (accepted) {
            backoff.reset();
            told = false;
            shard.figures().accepted.add();
            const auto serve = listener.site != nullptr ? serve_http : serve_tcp;
            serve(shard, listener, std::move(accepted), peer);
            if (++accepted_in_a_row % kAcceptBatch == 0) co_await net::Yield{shard.loop_};
            continue;
        }
        if (concerns_one_client(error)) {
            count(shard, metrics::AcceptFailure::gone);
            continue;
        }
        if (error == EAGAIN) {
            if (shard.draining_) break;
            accepted_in_a_row = 0;
            error = watch_queue(shard.loop_.poller(), listener, watch);
            if (error == 0) {
                static_cast<void>(co_await watch.readable());
                told = true;
                continue;
            }
        }
        count(shard, lacks_resources(error) ? metrics::AcceptFailure::no_resources : metrics::AcceptFailure::other);
        if (shard.draining_ && !lacks_resources(error)) break;
        if (shard.leave_queue(listener, watch, std::exchange(told, false))) break;
        if (backoff.fresh())
            log::warn("accepting is paused",
                      {{"listener", listener.bind}, {"error", std::system_category().message(error)}});
        net::Sleep pause{shard.loop_, backoff.next()};
        co_await pause;
    }
    shard.end_accepting(listener, watch);
}

} // namespace sallyport::proxy
