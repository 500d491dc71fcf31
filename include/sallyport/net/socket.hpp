// A connected, non-blocking socket of the data path: calls are tried at once and waited for only after EAGAIN.
#pragma once

#include <cstddef>
#include <span>

#include <sys/types.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/held_bytes.hpp"
#include "sallyport/net/watch.hpp"

namespace sallyport::net {

/// What a receive brought.
struct Arrival {
    enum class Kind : std::uint8_t { bytes, nothing_yet, end };
    Kind kind;
    std::size_t size{0};
};

/// Whether more will be sent soon. `soon`: what is sent now may wait for it, 200 ms or a little more than a round trip
/// (MSG_MORE, send(2)).
enum class Next : std::uint8_t { unknown, soon };

/// Owns: the descriptor, and the bytes that its peer was too slow to take. Thread: the shard's.
/// `side` is who sits at the other end; every error names it. The process ignores SIGPIPE.
class Socket {
public:
    Socket(UniqueFd fd, Side side, EventLoop& loop, HoldBudget& budget);

    /// Registers with the poller: once, when connected or on the way to it (`connect` does it).
    [[nodiscard]] Result<void> open();

    /// One recv(2). After `nothing_yet` wait for `readable()`.
    [[nodiscard]] Result<Arrival> receive(std::span<std::byte> into);

    /// The same with MSG_PEEK: what it brings stays to be received, and `readable()` does not wait for more.
    [[nodiscard]] Result<Arrival> peek(std::span<std::byte> into);

    /// Sends what it can at once and holds the rest (after what is held already, in order). Then, while `holds()`:
    /// wait for `writable()`, and `send_held()`.
    [[nodiscard]] Result<void> send(std::span<const std::byte> bytes, Next next = Next::unknown);
    [[nodiscard]] Result<void> send_held();
    [[nodiscard]] bool holds() const { return !held_.empty(); }
    [[nodiscard]] std::size_t held() const { return held_.bytes().size(); }

    [[nodiscard]] Watch::Awaiter readable() { return watch_.readable(); }
    [[nodiscard]] Watch::Awaiter writable() { return watch_.writable(); }

    /// Sends FIN; reading goes on. Nothing must be held.
    void finish_writing();
    /// The close that follows is a reset (RST): the peer must not take this for an orderly end.
    void reset_on_close();
    /// Ends every wait on this socket: see Watch::cancel.
    [[nodiscard]] Watch::Waiters cancel() { return watch_.cancel(); }
    [[nodiscard]] bool cancelled() const { return watch_.cancelled(); }
    [[nodiscard]] bool broken() const { return watch_.broken(); }
    [[nodiscard]] Watch& watch() { return watch_; }
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    [[nodiscard]] Result<Arrival> arrival_of_nothing(ssize_t got);
    [[nodiscard]] Result<std::size_t> send_some(std::span<const std::byte> bytes, Next next);

    Watch watch_;
    UniqueFd fd_;
    EventLoop& loop_;
    HeldBytes held_;
    Side side_;
};

/// The fault that an errno of send, recv or connect means.
[[nodiscard]] Fault fault_of(int error);

} // namespace sallyport::net
