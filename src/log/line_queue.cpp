#include "line_queue.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <deque>
#include <iterator>
#include <mutex>
#include <system_error>

#include <pthread.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/sink.h>

#include "line.hpp"
#include "sallyport/base/start_error.hpp"

namespace sallyport::log {

namespace {

constexpr spdlog::level::level_enum kLine = spdlog::level::info;
constexpr spdlog::level::level_enum kAuditMark = spdlog::level::trace;

struct AuditLine {
    std::uint64_t after; ///< the number of the ordinary line before it
    std::string text;
};

/// Filled by the threads that log, emptied by the log thread.
class AuditLines {
public:
    /// False if the oldest one had to go.
    bool add(AuditLine line)
    {
        const std::lock_guard lock{mutex_};
        lines_.push_back(std::move(line));
        if (lines_.size() <= kAuditLinesMax) return true;
        lines_.pop_front();
        return false;
    }

    std::deque<AuditLine> take_up_to(std::uint64_t number)
    {
        const std::lock_guard lock{mutex_};
        const auto end = std::ranges::find_if(lines_, [&](const AuditLine& line) { return line.after > number; });
        std::deque<AuditLine> taken{std::make_move_iterator(lines_.begin()), std::make_move_iterator(end)};
        lines_.erase(lines_.begin(), end);
        return taken;
    }

private:
    std::mutex mutex_;
    std::deque<AuditLine> lines_;
};

std::uint64_t number_of(std::string_view numbered)
{
    std::uint64_t number{};
    std::memcpy(&number, numbered.data(), sizeof number);
    return number;
}

void set_number(std::string& numbered, std::uint64_t number)
{
    std::memcpy(numbered.data(), &number, sizeof number);
}

/// While it lives, threads that are started take no signals; but SIGSYS, which tells of a call that a filter traps.
class SignalsBlocked {
public:
    SignalsBlocked()
    {
        sigset_t all;
        sigfillset(&all);
        sigdelset(&all, SIGSYS);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

} // namespace

/// Everything that happens on the log thread.
class LineQueue::Writer final : public spdlog::sinks::sink {
public:
    Writer(Output& output, Options options, AuditOutput* audit)
        : output_{output}, options_{std::move(options)}, audit_output_{audit}
    {
    }

    void watch(spdlog::details::thread_pool& pool) { pool_ = &pool; }
    AuditLines& audit_lines() { return audit_lines_; }
    void count_lost(std::uint64_t lines) { lost_ += lines; }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

    void log(const spdlog::details::log_msg& message) override
    {
        const std::string_view numbered{message.payload.data(), message.payload.size()};
        const std::uint64_t number = number_of(numbered);
        const bool is_line = message.level == kLine;
        catch_up(is_line ? number - 1 : number);
        if (is_line) {
            last_ = number;
            append(numbered.substr(kNumberBytes));
        }
        const std::size_t waiting = pool_->queue_size();
        if (waiting <= options_.queue_lines / 2) report_lost();
        if (waiting == 0) flush();
    }

    /// After the thread's end, on the thread that ended it.
    void finish(std::uint64_t posted)
    {
        catch_up(posted);
        report_lost();
        flush();
    }

    void flush() override
    {
        output_.write(batch_);
        batch_.clear();
    }

    // What is posted is formatted already.
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

private:
    /// Ordinary lines up to `number` came or will never come.
    void catch_up(std::uint64_t number)
    {
        if (number > last_) {
            lost_ += number - last_;
            last_ = number;
        }
        for (const AuditLine& line : audit_lines_.take_up_to(number))
            append_audit(line.text);
    }

    void append_audit(std::string_view line)
    {
        if (audit_output_ == nullptr)
            append(line);
        else if (!audit_output_->write(line))
            ++lost_;
    }

    void append(std::string_view line)
    {
        if (batch_.size() + line.size() > kLineMax) flush();
        batch_ += line;
    }

    void report_lost()
    {
        const std::uint64_t lost = lost_;
        if (lost == reported_) return;
        const Field count{"count", lost - reported_};
        reported_ = lost;
        if (options_.level > Level::warn) return;
        std::string line;
        append_line(line, {std::chrono::system_clock::now(), Level::warn, false, "log lines dropped", {&count, 1}},
                    options_);
        append(line);
    }

    Output& output_;
    const Options options_;
    AuditOutput* const audit_output_;
    spdlog::details::thread_pool* pool_{nullptr};
    AuditLines audit_lines_;
    std::atomic<std::uint64_t> lost_{0};
    std::uint64_t reported_{0};
    std::uint64_t last_{0};
    std::string batch_;
};

struct LineQueue::Thread {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;
};

LineQueue::LineQueue(Output& output, const Options& options, AuditOutput* audit)
    : writer_{std::make_shared<Writer>(output, options, audit)}, thread_{std::make_unique<Thread>()}
{
    const SignalsBlocked blocked;
    const std::size_t lines = std::max<std::size_t>(options.queue_lines, 1);
    try {
        thread_->pool =
            std::make_shared<spdlog::details::thread_pool>(lines, 1, [] { pthread_setname_np(pthread_self(), "log"); });
    } catch (const std::system_error& error) {
        throw StartError{ExitCode::os_error, std::string{"cannot start the log thread: "} + error.code().message()};
    }
    writer_->watch(*thread_->pool);
    thread_->logger = std::make_shared<spdlog::async_logger>("", writer_, thread_->pool,
                                                             spdlog::async_overflow_policy::overrun_oldest);
    thread_->logger->set_level(spdlog::level::trace);
}

LineQueue::~LineQueue()
{
    stop();
}

void LineQueue::stop()
{
    if (!thread_->pool) return;
    thread_->pool.reset();
    writer_->finish(posted_);
}

void LineQueue::post(std::string& numbered)
{
    set_number(numbered, ++posted_);
    thread_->logger->log(kLine, spdlog::string_view_t{numbered.data(), numbered.size()});
}

void LineQueue::post_audit(std::string& numbered)
{
    set_number(numbered, posted_);
    if (!writer_->audit_lines().add({posted_, numbered.substr(kNumberBytes)})) writer_->count_lost(1);
    thread_->logger->log(kAuditMark, spdlog::string_view_t{numbered.data(), kNumberBytes});
}

std::uint64_t LineQueue::dropped() const
{
    return writer_->lost();
}

} // namespace sallyport::log
