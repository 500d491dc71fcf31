#include <algorithm>

#include <sys/prctl.h>

#include "load/caller.hpp"
#include "load/scenarios.hpp"

namespace bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

void note(Report& report, const Caller& caller, Progress how)
{
    ++report.operations;
    if (how == Progress::failed) ++report.errors;
    report.microseconds.push_back(microseconds_since(caller.intended()));
}

class ClosedLoop final : public Crew {
public:
    explicit ClosedLoop(milliseconds length) : length_{length} {}

    void run(Target& target, std::deque<Caller>& callers, std::size_t active)
    {
        const auto begin = Clock::now();
        end_ = begin + length_;
        calling_ = active;
        for (std::size_t i = 0; i < active; ++i) {
            callers[i].serve(*this);
            callers[i].call(kSmallRequest, 0, Clock::now());
        }
        while (calling_ > 0)
            turn(target);
        report.took = Clock::now() - begin;
    }

    void answered(Caller& caller, Progress how) override
    {
        note(report, caller, how);
        const auto now = Clock::now();
        if (how == Progress::failed || now >= end_)
            --calling_;
        else
            caller.call(kSmallRequest, 0, now);
    }

    Report report;

private:
    milliseconds length_;
    Clock::time_point end_;
    std::size_t calling_{};
};

/// Request i belongs to caller i mod n and should be sent at begin + i / rate.
class FixedRate final : public Crew {
public:
    FixedRate(std::uint64_t rate, milliseconds length)
        : interval_{nanoseconds{std::chrono::seconds{1}} / rate}, total_{static_cast<std::uint64_t>(length / interval_)}
    {
    }

    void run(Target& target, std::deque<Caller>& callers)
    {
        sent_by_.assign(callers.size(), 0);
        report.microseconds.reserve(total_);
        for (Caller& caller : callers)
            caller.serve(*this);
        begin_ = Clock::now();
        while (report.operations < total_) {
            for (; due_ < total_ && moment(due_) <= Clock::now(); ++due_)
                send_next(callers[due_ % callers.size()]);
            const nanoseconds left = due_ < total_ ? moment(due_) - Clock::now() : nanoseconds{-1};
            turn(target, due_ < total_ ? std::max(left, nanoseconds{0}) : left);
        }
        report.took = Clock::now() - begin_;
    }

    void answered(Caller& caller, Progress how) override
    {
        note(report, caller, how);
        send_next(caller);
    }

    Report report;

private:
    [[nodiscard]] Clock::time_point moment(std::uint64_t i) const { return begin_ + interval_ * i; }

    /// If the caller is free and its next request is due. A late one keeps its moment.
    void send_next(Caller& caller)
    {
        if (caller.busy()) return;
        const auto next = caller.number() + sent_by_[caller.number()] * sent_by_.size();
        if (next >= total_ || moment(next) > Clock::now()) return;
        ++sent_by_[caller.number()];
        caller.call(kSmallRequest, 0, moment(next));
    }

    nanoseconds interval_;
    std::uint64_t total_;
    std::uint64_t due_{};
    Clock::time_point begin_;
    std::vector<std::uint64_t> sent_by_;
};

} // namespace

void saturate(Target& target, Arguments& arguments)
{
    const auto connections = arguments.number("connections", 64);
    const auto idle = arguments.number("idle", 0);
    const milliseconds length{arguments.number("milliseconds", 1000)};
    arguments.end();

    auto callers = open_callers(target, connections + idle);
    say_ready();
    while (told_to_go()) {
        ClosedLoop loop{length};
        loop.run(target, callers, connections);
        say(std::move(loop.report), target.agreement);
    }
}

void pace(Target& target, Arguments& arguments)
{
    const auto connections = arguments.number("connections", 64);
    const auto rate = arguments.number("rate", 15'000);
    const milliseconds length{arguments.number("milliseconds", 1000)};
    arguments.end();

    // The kernel would otherwise wake us up to 50 µs late.
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    auto callers = open_callers(target, connections);
    say_ready();
    while (told_to_go()) {
        FixedRate loop{rate, length};
        loop.run(target, callers);
        say(std::move(loop.report), target.agreement);
    }
}

} // namespace bench
