// Three phases: kept (before the start), queued (between start and stop), direct (after the stop).
#include "sallyport/log/log.hpp"
#include "sallyport/log/level.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <unistd.h>

#include "audit_output.hpp"
#include "chain.hpp"
#include "kept.hpp"
#include "line.hpp"
#include "line_queue.hpp"
#include "output.hpp"
#include "sallyport/base/contract.hpp"

namespace sallyport::log {

namespace {

constexpr std::size_t kKeptMax = 1024;
constexpr std::chrono::seconds kStopPatience{2};

enum class Phase : std::uint8_t { kept, queued, direct };

struct Kept {
    std::vector<KeptEvent> events;
    std::uint64_t dropped;
};

/// The one log of the process. What is below `phase` is written before the phase leaves `kept` and never after.
struct Log {
    std::mutex mutex; ///< for all below it
    std::vector<KeptEvent> kept;
    std::unique_ptr<LineQueue> queue;
    std::unique_ptr<Chain> chain; ///< from the first audit line that is written
    std::uint64_t dropped{0};     ///< before the start and, after the stop, in the queue

    std::atomic<Phase> phase{Phase::kept};
    std::atomic<Level> least{Level::debug};
    Options options;
    Options audit_options; ///< the same, in the format of audit lines
    Output output{STDOUT_FILENO};
    std::unique_ptr<AuditOutput> audit_output; ///< none: `output`
};

/// Never destroyed: threads that outlive main may still log.
Log& the_log()
{
    static Log* const log = new Log;
    return *log;
}

bool is_written(const Log& log, const Event& event)
{
    return event.audit || (event.level >= log.least && event.level != Level::none);
}

bool keep(Log& log, const Event& event)
{
    const std::lock_guard lock{log.mutex};
    if (log.phase != Phase::kept) return false;
    if (log.kept.size() < kKeptMax)
        log.kept.emplace_back(event);
    else
        ++log.dropped;
    return true;
}

/// In the order of the lines: with the lock held.
void seal(Log& log, std::string& numbered)
{
    if (!log.chain) log.chain = std::make_unique<Chain>(log.options.chain.empty() ? new_chain() : log.options.chain);
    log.chain->seal(numbered, kNumberBytes, log.audit_options.format);
}

void write_at_once(Log& log, bool audit, std::string_view line)
{
    if (audit && log.audit_output)
        log.audit_output->write(line);
    else
        log.output.write(line);
}

void post_or_write(Log& log, const Event& event)
{
    thread_local std::string numbered;
    numbered.assign(kNumberBytes, '\0');
    append_line(numbered, event, event.audit ? log.audit_options : log.options);
    const std::lock_guard lock{log.mutex};
    if (event.audit) seal(log, numbered);
    if (!log.queue)
        write_at_once(log, event.audit, std::string_view{numbered}.substr(kNumberBytes));
    else if (event.audit)
        log.queue->post_audit(numbered);
    else
        log.queue->post(numbered);
}

void submit(const Event& event)
{
    Log& log = the_log();
    if (!is_written(log, event)) return;
    if (log.phase == Phase::kept && keep(log, event)) return;
    post_or_write(log, event);
}

void submit_kept(Log& log, const Kept& kept)
{
    for (const KeptEvent& one : kept.events)
        if (is_written(log, one.event())) post_or_write(log, one.event());
    if (kept.dropped > 0) warn("log lines dropped", {{"count", kept.dropped}, {"when", "before the start"}});
}

void ignore_sigpipe()
{
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
}

/// What was kept, if this ends that phase.
Kept leave_kept_phase(Log& log, Phase next, std::unique_ptr<LineQueue> queue)
{
    const std::lock_guard lock{log.mutex};
    const std::uint64_t dropped = log.phase == Phase::kept ? log.dropped : 0;
    log.queue = std::move(queue);
    log.phase = next;
    return {std::exchange(log.kept, {}), dropped};
}

std::unique_ptr<LineQueue> take_queue(Log& log)
{
    const std::lock_guard lock{log.mutex};
    return std::move(log.queue);
}

bool has_chain(Log& log)
{
    const std::lock_guard lock{log.mutex};
    return log.chain != nullptr;
}

void end_queue(Log& log)
{
    const std::unique_ptr<LineQueue> queue = take_queue(log);
    if (!queue) return;
    queue->stop();
    const std::lock_guard lock{log.mutex};
    log.dropped += queue->dropped();
}

} // namespace

void start(const Options& options)
{
    Log& log = the_log();
    SALLYPORT_ASSERT(log.phase == Phase::kept);
    ignore_sigpipe();
    log.options = options;
    log.least = options.level;
    log.audit_options = options;
    if (options.audit_place != AuditPlace::standard_output) {
        log.audit_options.format = Format::json;
        log.audit_output = std::make_unique<AuditOutput>(options.audit_fd, options.audit_place, options.process);
    }
    auto queue = std::make_unique<LineQueue>(log.output, options, log.audit_output.get());
    submit_kept(log, leave_kept_phase(log, Phase::queued, std::move(queue)));
}

void stop()
{
    Log& log = the_log();
    ignore_sigpipe();
    log.output.give_up_after(kStopPatience);
    if (log.audit_output) log.audit_output->give_up_after(kStopPatience);
    if (has_chain(log) && log.phase == Phase::queued) audit(kChainEnds);
    end_queue(log);
    submit_kept(log, leave_kept_phase(log, Phase::direct, nullptr));
}

void use_level(Level level)
{
    the_log().least = level;
}

bool enabled(Level level)
{
    return level >= the_log().least && level != Level::none;
}

void write(Level level, std::string_view event, std::span<const Field> fields)
{
    submit({std::chrono::system_clock::now(), level, false, event, fields});
}

void write_as_is(Level level, std::string_view line)
{
    submit({std::chrono::system_clock::now(), level, false, line, {}, true});
}

void audit(std::string_view event, std::initializer_list<Field> fields)
{
    submit({std::chrono::system_clock::now(), Level::info, true, event, {fields.begin(), fields.size()}});
}

std::uint64_t dropped()
{
    Log& log = the_log();
    const std::lock_guard lock{log.mutex};
    return log.dropped + (log.queue ? log.queue->dropped() : 0);
}

} // namespace sallyport::log
