// How much is read at once, and how much is moved before others have their turn: the same for every kind of connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sallyport/net/held_bytes.hpp"
#include "sallyport/net/timer_wheel.hpp"
#include "sallyport/tls/scratch.hpp"

namespace sallyport::proxy {

/// How much one direction moves before the shard's other connections have their turn.
inline constexpr std::size_t kTurnBytes = 1024 * 1024;

/// How much one direction reads at once. Large reads make few system calls and seldom wake who is read by, so it grows
/// while that one keeps up; what a slow one leaves for us to hold shrinks (bench/README.md has both figures).
class Appetite {
public:
    /// Over the budget of what slow readers may hold, each adds a record at most.
    [[nodiscard]] std::size_t size(const net::HoldBudget& budget) const
    {
        return budget.exhausted() ? tls::Scratch::kRecordMax : size_;
    }

    /// So much was read, and taken at once.
    void fed(std::size_t read)
    {
        if (read >= size_ / 2) size_ = std::min(size_ * 2, kMost);
    }
    /// What was not taken at once has been held for so long.
    void held(net::Tick duration)
    {
        if (duration > kPatience) size_ = std::max(size_ / 2, kLeast);
    }

    static constexpr std::uint32_t kFirst = 256 * 1024;
    static constexpr std::uint32_t kLeast = 64 * 1024;
    static constexpr std::uint32_t kMost = tls::Scratch::kCipherIn;

private:
    static constexpr net::Tick kPatience = 10; // a peer nearby is back within this, the internet is not

    std::uint32_t size_{kFirst};
};

} // namespace sallyport::proxy
