// One connection of the load generator: TCP, and TLS on it unless the run is plain.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "load/tls.hpp"
#include "sockets.hpp"

namespace bench {

enum class Progress : std::uint8_t { done, waiting, failed };

/// What every connection of a run has in common.
struct Target {
    std::uint16_t port{};
    Context context; ///< null: no TLS
    Epoll epoll;
    Agreement agreement;
};

/// Whoever waits for a descriptor; the epoll's events carry a pointer to it.
class Waiter {
public:
    virtual ~Waiter() = default;
    virtual void on_ready() = 0;
};

class Link {
public:
    static constexpr std::ptrdiff_t kWouldBlock = -1;
    static constexpr std::ptrdiff_t kFailed = -2;

    /// Begins to connect; exits 1 if that is refused at once. A `jar` gives the ticket to resume with, if it holds one,
    /// and takes those that come; null: every handshake is a full one. It must outlive the link.
    Link(Target& target, Waiter& waiter, TicketJar* jar);

    [[nodiscard]] Progress shake_hands();
    /// Bytes, 0 at the peer's orderly end, or one of the two above.
    [[nodiscard]] std::ptrdiff_t receive(std::span<char> to);
    [[nodiscard]] std::ptrdiff_t send(std::string_view data);
    /// Says that nothing more comes: close_notify and FIN. The peer's end is still to be read.
    void finish();

private:
    [[nodiscard]] std::ptrdiff_t explain(int result) const;

    Target& target_;
    Fd fd_;
    Tls tls_;
    bool established_{};
};

} // namespace bench
