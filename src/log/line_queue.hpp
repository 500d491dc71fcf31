// The queue between the threads that log and the one that writes; the only place that knows spdlog.
//
// spdlog's bounded queue overwrites its oldest line when it is full. Two things it cannot do are done here:
//   - lines carry a number, so the writer sees from a gap how many were overwritten, and says so once it has caught up;
//   - audit lines must not be overwritten: they wait in a second bounded list, each with the number of the ordinary
//   line
//     it came after, and the spdlog queue gets a mark in its place. The writer writes an audit line when it comes to
//     its mark, or, if the mark was overwritten, to anything younger.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "audit_output.hpp"
#include "output.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::log {

/// The first bytes of a text that is posted belong to the queue (the line's number); the line follows.
inline constexpr std::size_t kNumberBytes = sizeof(std::uint64_t);
/// The most audit lines that wait.
inline constexpr std::size_t kAuditLinesMax = 1024;

/// Owns the log thread. Borrows the outputs. Thread: one poster at a time; `dropped` any.
class LineQueue {
public:
    /// Starts the thread, with all signals blocked. `options.queue_lines` of 0 counts as 1. Throws StartError.
    /// `audit`: where audit lines go; without one they keep their place among the others.
    LineQueue(Output& output, const Options& options, AuditOutput* audit = nullptr);
    ~LineQueue();

    /// Writes what waits and ends the thread; nothing may be posted afterwards.
    void stop();

    /// `numbered`: kNumberBytes bytes of room, then whole lines. Never blocks on the output.
    void post(std::string& numbered);
    void post_audit(std::string& numbered);

    [[nodiscard]] std::uint64_t dropped() const;

private:
    class Writer;
    struct Thread;

    std::uint64_t posted_{0};
    std::shared_ptr<Writer> writer_;
    std::unique_ptr<Thread> thread_;
};

} // namespace sallyport::log
