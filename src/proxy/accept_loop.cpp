#include "accept_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "connection.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::proxy {

namespace {

/// How many are accepted before the connections at hand have their turn.
constexpr int kAcceptBatch = 32;

/// The pause after a failed accept: a lack of descriptors must not become a busy loop.
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
    return UniqueFd{::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC)};
}

bool lacks_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
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

} // namespace

/// Waits until the shard may hold one more connection.
class FreeSlot {
public:
    explicit FreeSlot(Shard& shard) : shard_{shard} {}
    [[nodiscard]] bool await_ready() const noexcept { return !shard_.full(); }
    void await_suspend(std::coroutine_handle<> waiting) { shard_.waiting_for_slot_.push_back(waiting); }
    void await_resume() const noexcept {}

private:
    Shard& shard_;
};

net::Detached accept_loop(Shard& shard, Listener& listener)
{
    net::Watch watch;
    const auto watched = shard.loop_.poller().watch_listener(listener.fd.get(), watch, listener.shared);
    if (!watched) {
        log::error("cannot watch a listener",
                   {{"listener", listener.bind}, {"error", watched.error().cause.message()}});
        co_return;
    }
    shard.listener_watches_.push_back(&watch);
    Backoff backoff;
    int accepted_in_a_row = 0;
    while (!shard.cutting_) {
        if (shard.full()) {
            co_await FreeSlot{shard};
            continue;
        }
        PeerAddress peer;
        UniqueFd accepted = accept(listener, peer);
        if (accepted) {
            backoff.reset();
            serve_connection(shard, listener, std::move(accepted), peer);
            if (++accepted_in_a_row % kAcceptBatch == 0) co_await net::Yield{shard.loop_};
        } else if (errno == EAGAIN) {
            if (shard.draining_) break;
            watch.clear_readable();
            accepted_in_a_row = 0;
            static_cast<void>(co_await watch.readable());
        } else if (const int error = errno; !concerns_one_client(error)) {
            if (shard.draining_ && !lacks_resources(error)) break;
            if (backoff.fresh())
                log::warn("accepting is paused",
                          {{"listener", listener.bind}, {"error", std::system_category().message(error)}});
            net::Sleep pause{shard.loop_, backoff.next()};
            co_await pause;
        }
    }
    shard.end_accepting(listener, watch);
}

} // namespace sallyport::proxy
