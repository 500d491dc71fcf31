// The two scenarios in which hardly anything moves: connections that are only held, and the first exchange of all.
#include <optional>
#include <thread>

#include "load/caller.hpp"
#include "load/scenarios.hpp"

namespace bench {

namespace {

class Attempt final : public Crew {
public:
    /// True if one exchange succeeds on a new connection, within that time.
    bool run(Target& target, std::chrono::seconds patience)
    {
        const Caller caller{target, *this, 0};
        while (!how_) {
            turn(target, patience);
            if (Clock::now() - begun_ > patience) return false;
        }
        return *how_ == Progress::done;
    }

    void answered(Caller&, Progress how) override { how_ = how; }

private:
    Clock::time_point begun_{Clock::now()};
    std::optional<Progress> how_;
};

} // namespace

void hold(Target& target, Arguments& arguments)
{
    const auto connections = arguments.number("connections", 5000);
    arguments.end();
    const auto callers = open_callers(target, connections);
    say_ready();
    while (told_to_go()) {
        Report report;
        report.operations = callers.size();
        say(std::move(report), target.agreement);
    }
}

void first(Target& target, Arguments& arguments)
{
    constexpr std::chrono::microseconds kPause{200};
    const std::chrono::seconds patience{arguments.number("patience", 1)};
    arguments.end();
    say_ready();
    while (told_to_go()) {
        const auto begin = Clock::now();
        while (!Attempt{}.run(target, patience))
            std::this_thread::sleep_for(kPause);
        Report report;
        report.operations = 1;
        report.took = Clock::now() - begin;
        say(std::move(report), target.agreement);
    }
}

} // namespace bench
