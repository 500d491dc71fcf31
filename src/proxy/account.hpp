// What has become of one exchange so far.
#pragma once

#include <cstdint>
#include <string_view>

#include "sallyport/net/timer_wheel.hpp"

namespace sallyport::proxy {

/// It is told in the log and the figures at the end, and decides before whether it may be asked again, or told a
/// failure. Times are of the shard's loop.
struct Account {
    std::uint64_t number; ///< of the exchange on its connection
    net::Tick began;
    net::Tick asked{0};    ///< when the request had been sent; 0: not yet
    net::Tick answered{0}; ///< when the response's head had come, or ours was made; 0: not yet
    net::Tick connect_ms{0};
    bool connected{false}; ///< a new connection was made for it
    bool replayed{false};
    std::uint16_t status{0};   ///< of the response that the client gets; 0: none has begun
    std::uint16_t interims{0}; ///< how many 1xx have come
    std::uint64_t from_client{0};
    std::uint64_t to_client{0};
    std::string_view upstream{}; ///< its name
};

} // namespace sallyport::proxy
