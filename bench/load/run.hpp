// How a run of the load generator speaks with the runner, and what it reports.
//
//     load   ready        everything is open and warm; nothing is sent until
//     runner go
//     load   {…}          the report of this run, one line; connections stay open
//     runner go           the same once more, or
//     runner              end of input: everything is closed
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "load/tls.hpp"

namespace bench {

using Clock = std::chrono::steady_clock;

struct Report {
    std::uint64_t operations{};
    std::uint64_t bytes{};
    std::uint64_t errors{};
    std::uint64_t tickets{}; ///< received, where they are kept
    std::chrono::nanoseconds took{};
    std::vector<std::uint32_t> microseconds; ///< per operation, from the moment at which it should have begun
};

void say_ready();
/// Waits for the runner's word. False: there will be none.
[[nodiscard]] bool told_to_go();
/// Prints the report as one line of JSON.
void say(Report report, const Agreement& agreement);

/// What goes into Report::microseconds.
[[nodiscard]] std::uint32_t microseconds_since(Clock::time_point begin);

} // namespace bench
