// How a run of the load generator speaks with the runner, and what it reports.
//
//     load   ready        everything is open and warm; nothing is sent until
//     runner go           (or end of input)
//     load   {…}          the report, one line; connections stay open until
//     runner end          (or end of input)
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

/// Says "ready" and waits for the runner's word.
void say_ready();
/// Prints the report as one line of JSON and waits for the runner's word.
void say(Report report, const Agreement& agreement);

/// What goes into Report::microseconds.
[[nodiscard]] std::uint32_t microseconds_since(Clock::time_point begin);

} // namespace bench
