// The descriptor that lines go to: shared with strangers, possibly a pipe that nobody reads, closed or non-blocking.
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

namespace sallyport::log {

/// Borrows its descriptor and never changes its flags. Thread: any; two writers at once keep their texts
/// whole as two processes do.
class Output {
public:
    explicit Output(int fd) : fd_{fd} {}

    /// Writes all of it, waiting for room as long as it takes or until the time to give up; false if it could not.
    /// Up to PIPE_BUF bytes stay in one piece on a pipe. A closed descriptor or reader costs the text; the
    /// caller sees to it that SIGPIPE costs no more.
    bool write(std::string_view text);

    /// From now on waits for at most `patience` in all; what has room at once is still written.
    void give_up_after(std::chrono::milliseconds patience);

private:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] bool wait_for_room() const;
    [[nodiscard]] Clock::duration patience_left() const;

    int fd_;
    std::atomic<Clock::duration> give_up_at_{Clock::duration::max()};
};

} // namespace sallyport::log
