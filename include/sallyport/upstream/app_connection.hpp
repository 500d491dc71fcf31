// One connection to an app.
#pragma once

#include <cstddef>
#include <memory>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/frame_pool.hpp"
#include "sallyport/net/held_bytes.hpp"
#include "sallyport/net/socket.hpp"

namespace sallyport::upstream {

class Pool;
struct Target;

/// Owns its socket; lives on the heap, as a socket that is watched does not move. Its memory is the shard's, reused.
/// Thread: the shard's. Its upstream outlives it.
class AppConnection final : private net::Watch::Observer {
public:
    AppConnection(UniqueFd fd, Target& target, net::EventLoop& loop, net::HoldBudget& budget);
    AppConnection(const AppConnection&) = delete;
    AppConnection& operator=(const AppConnection&) = delete;
    ~AppConnection() override;

    [[nodiscard]] net::Socket& socket() { return socket_; }
    /// Where it leads to: one of the upstream's addresses.
    [[nodiscard]] const SocketAddress& address() const;
    /// The name has that address no more.
    [[nodiscard]] bool is_gone() const;
    /// It comes from the pool: the app may have closed it before it saw what is sent now.
    [[nodiscard]] bool reused() const { return reused_; }

    static void* operator new(std::size_t size) { return net::allocate_frame(size); }
    static void operator delete(void* block, std::size_t size) noexcept { net::release_frame(block, size); }

private:
    friend class Pool;
    /// Idle, and something has happened: the app has closed it, or speaks unasked.
    void became_ready() override;

    net::Socket socket_;
    Target& target_;
    // In the pool only:
    Pool* pool_{nullptr};
    AppConnection* newer_{nullptr};
    AppConnection* older_{nullptr};
    net::Tick good_until_{0};
    bool reused_{false};
};

using AppConnectionPtr = std::unique_ptr<AppConnection>;

} // namespace sallyport::upstream
