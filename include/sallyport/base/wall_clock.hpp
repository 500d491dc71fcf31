// The time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace sallyport {

[[nodiscard]] inline std::uint64_t milliseconds_since_epoch()
{
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

} // namespace sallyport
