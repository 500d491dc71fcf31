// A name of an app, looked up again whenever its answer expires.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/net/event_loop.hpp"
#include "sallyport/net/timer_wheel.hpp"

namespace sallyport::upstream {

class Resolver;
class Targets;

/// Tells `targets` what it learns; the last good answer stays until there is another. Thread: the shard's.
class Name final : private net::Deadline {
public:
    /// Its `entry` is its place among the addresses.
    Name(const ipc::AppAddress& app, std::size_t entry, Targets& targets, std::string_view upstream,
         net::EventLoop& loop);

    /// Looks it up from now on.
    void start(Resolver& resolver);
    /// Somebody waits for it: after a failure it may be asked for earlier.
    void hurry();
    /// An answer is on its way.
    [[nodiscard]] bool is_asked_for() const { return asked_; }

    /// By the resolver.
    void answered(std::vector<SocketAddress> addresses, std::uint32_t ttl_s);
    void failed(std::string_view reason);

private:
    void ask();
    void expired() override { ask(); }

    std::string host_;
    std::uint16_t port_;
    std::size_t entry_;
    Targets& targets_;
    std::string upstream_;
    net::EventLoop& loop_;
    Resolver* resolver_{nullptr};
    std::uint32_t failures_{0}; ///< in a row
    net::Tick rests_until_{0};
    bool asked_{false};
};

} // namespace sallyport::upstream
