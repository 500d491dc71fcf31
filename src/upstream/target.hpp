// One address of an app, with what a shard knows of it.
#pragma once

#include <cstdint>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/net/timer_wheel.hpp"

namespace sallyport::upstream {

/// Lives as long as somebody holds it: the list of addresses, and every connection to it. Thread: the shard's.
struct Target {
    SocketAddress address;
    net::Tick skipped_until{0};
    std::uint64_t last_turn{0}; ///< the number of the attempt that tried it last
    std::uint32_t holders{1};
    bool gone{false};    ///< the name has it no more
    bool failing{false}; ///< said in the log
};

inline void hold(Target& target)
{
    ++target.holders;
}

inline void release(Target& target)
{
    if (--target.holders == 0) delete &target;
}

} // namespace sallyport::upstream
