// How much is read at once, and how much is moved before others have their turn: the same for every kind of connection.
#pragma once

#include <cstddef>

#include "sallyport/net/held_bytes.hpp"
#include "sallyport/tls/scratch.hpp"

namespace sallyport::proxy {

/// How much one direction moves before the shard's other connections have their turn.
inline constexpr std::size_t kTurnBytes = 1024 * 1024;

/// Large reads make few system calls. Over the budget of what slow readers may hold, each adds a record at most.
[[nodiscard]] inline std::size_t read_size(const net::HoldBudget& budget)
{
    return budget.exhausted() ? tls::Scratch::kRecordMax : tls::Scratch::kCipherIn;
}

} // namespace sallyport::proxy
