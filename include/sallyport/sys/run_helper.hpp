// A program of the machine's that does one thing for us and ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "sallyport/base/result.hpp"

namespace sallyport::sys {

/// Whether what it complains of is for our user.
enum class Complaints : std::uint8_t { shown, discarded };

/// posix_spawn(3) of words[0], an absolute path, and waits for its end. It has PATH of the system's own directories as
/// its only variable, /dev/null as its standard input and output, our standard error if its complaints are shown, and
/// no other descriptor; default signals. Whoever takes longer is killed (`timeout`). Returns its exit code, or 128 and
/// the number of the signal that ended it. Errors besides: the kernel's (ENOENT: there is no such program). Thread: of
/// a process that has one only.
[[nodiscard]] Result<int> run_helper(std::span<const std::string> words, std::chrono::milliseconds limit,
                                     Complaints complaints = Complaints::shown);

} // namespace sallyport::sys
