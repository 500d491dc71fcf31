// One direction of an exchange: what one side sends, to the other.
#pragma once

#include <cstdint>

#include "exchange.hpp"

namespace sallyport::proxy {

/// What moves through it, and where it is counted.
struct Flow {
    Stream& from;
    Stream& to;
    std::uint64_t& moved;
    bool up; ///< towards the app
    /// What is to be looked at of each piece before it is passed on: of a tunnel that can be ended between two frames.
    class FrameGuard* guard{nullptr};
};

/// Whether it has come to an end without its own doing.
[[nodiscard]] bool is_over(const Exchange& x, const Flow& flow);

/// Sends what is held. False: it failed, or is over; what failed is the exchange's failure.
[[nodiscard]] net::Task<bool> send_held(Exchange& x, Flow flow);

/// One body, or one direction of a tunnel, to its end. False: as above.
[[nodiscard]] net::Task<bool> pump(Exchange& x, Flow flow);

} // namespace sallyport::proxy
