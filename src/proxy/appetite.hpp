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

/// What comes behind a head, or behind a body, waits in memory of the exchange's own until it is asked for: not too
/// much of it.
inline constexpr std::size_t kReadBehind = 32 * 1024;

/// How much one direction reads at once. Large reads make few system calls and seldom wake who is read by, so it grows
/// while that one keeps up; what a slow one leaves for us to hold stays small (bench/README.md has both figures).
class Appetite {
public:
    /// Over the budget of what slow readers may hold, each adds a record at most.
    [[nodiscard]] std::size_t size(const net::HoldBudget& budget) const
    {
        return budget.exhausted() ? tls::Scratch::kRecordMax : size_;
    }
    /// For who has no direction of its own.
    [[nodiscard]] static std::size_t first_size(const net::HoldBudget& budget) { return Appetite{}.size(budget); }

    /// So much was read, and taken at once.
    void fed(std::size_t read)
    {
        if (read < size_ / kCrumbs) size_ = std::min(size_, kFirst);
        if (read < size_ / 2) return;
        if (size_ == most_) rise();
        size_ = std::min(size_ * 2, most_);
    }
    /// What was not taken at once has been held for so long.
    void held(net::Tick duration)
    {
        if (duration <= kPatience) return;
        most_ = size_ = std::max(size_ / 2, kLeast);
        taken_ = 0;
    }

    static constexpr std::uint32_t kFirst = 256 * 1024;
    static constexpr std::uint32_t kLeast = 64 * 1024;
    static constexpr std::uint32_t kMost = tls::Scratch::kCipherIn;
    static constexpr int kRise = 64;

private:
    static constexpr net::Tick kPatience = 50; // who takes 25 MB/s is back within this
    // So little text of a read that may have been full was many records of a few bytes, which take long to decrypt.
    static constexpr std::uint32_t kCrumbs = 16;

    // Several reads fit into a slow one's send buffer before it is seen to be slow again: it takes many to trust it.
    void rise()
    {
        if (most_ == kMost || ++taken_ < kRise) return;
        taken_ = 0;
        most_ *= 2;
    }

    std::uint32_t size_{kFirst};
    std::uint32_t most_{kMost};
    int taken_{0}; ///< in a row, at the present most
};

} // namespace sallyport::proxy
