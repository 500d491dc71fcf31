// One event as one line, JSON or plain, with a bounded length.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "sallyport/log/log.hpp"

namespace sallyport::log {

/// PIPE_BUF, pipe(7): a write of at most so many bytes to a pipe is atomic, so the lines of three processes that share
/// one standard output never mix.
inline constexpr std::size_t kLineMax = 4096;
/// The most bytes of one value, as it is written.
inline constexpr std::size_t kValueMax = 1024;

using Time = std::chrono::system_clock::time_point;

/// Borrows everything.
struct Event {
    Time time;
    Level level;
    bool audit;
    std::string_view text;
    std::span<const Field> fields;
    bool as_is{false}; ///< the text is the line
};

/// Appends the line with its line feed, at most kLineMax bytes, room for an audit line's seal included (chain.hpp).
/// Fields that do not fit are left out, and a field `cut` = true says so.
void append_line(std::string& out, const Event& event, const Options& options);

} // namespace sallyport::log
