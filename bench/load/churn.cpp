#include <deque>
#include <optional>

#include "load/caller.hpp"
#include "load/scenarios.hpp"

namespace bench {

namespace {

/// The connections still to be made, and what became of the others.
struct Supply {
    [[nodiscard]] bool take()
    {
        if (left == 0) return false;
        --left;
        return true;
    }

    Target& target;
    bool resume{};
    std::uint64_t left{};
    std::uint64_t ended{};
    Report report{};
};

class Slot final : public Waiter {
public:
    explicit Slot(Supply& supply) : supply_{supply} {}

    void begin()
    {
        if (!supply_.take()) return;
        stage_ = Stage::handshake;
        begun_ = Clock::now();
        link_.emplace(supply_.target, *this, supply_.resume ? &jar_ : nullptr);
        exchange_.begin(kSmallRequest);
    }

    [[nodiscard]] std::uint64_t tickets() const { return jar_.received; }

    void on_ready() override
    {
        if (!link_) return;
        Progress progress = Progress::done;
        if (stage_ == Stage::handshake && (progress = link_->shake_hands()) == Progress::done) stage_ = Stage::exchange;
        if (stage_ == Stage::exchange && (progress = exchange_.advance(*link_)) == Progress::done) finish();
        if (stage_ == Stage::closing) progress = await_end();
        if (progress == Progress::waiting) return;
        end(progress);
    }

private:
    enum class Stage { handshake, exchange, closing };

    void finish()
    {
        supply_.report.microseconds.push_back(microseconds_since(begun_));
        link_->finish();
        stage_ = Stage::closing;
    }

    /// A client that waits for the proxy's end sees no reset, so that every proxy closes in the same way.
    Progress await_end()
    {
        char nothing{};
        const auto got = link_->receive({&nothing, 1});
        if (got == Link::kWouldBlock) return Progress::waiting;
        return got > 0 ? Progress::failed : Progress::done;
    }

    void end(Progress how)
    {
        link_.reset();
        if (how == Progress::failed) ++supply_.report.errors;
        ++supply_.ended;
        begin();
    }

    Supply& supply_;
    Stage stage_{};
    std::optional<Link> link_;
    TicketJar jar_;
    Exchange exchange_;
    Clock::time_point begun_;
};

std::uint64_t tickets_of(const std::deque<Slot>& slots)
{
    std::uint64_t sum{};
    for (const Slot& slot : slots)
        sum += slot.tickets();
    return sum;
}

void run(Supply& supply, std::deque<Slot>& slots, std::uint64_t operations)
{
    supply.left = operations;
    supply.ended = 0;
    supply.report = {};
    supply.report.microseconds.reserve(operations);
    supply.target.agreement.full = supply.target.agreement.resumed = 0;
    const auto tickets = tickets_of(slots);
    const auto begin = Clock::now();
    for (Slot& slot : slots)
        slot.begin();
    while (supply.ended < operations)
        turn(supply.target);
    supply.report.took = Clock::now() - begin;
    supply.report.operations = supply.ended;
    supply.report.tickets = tickets_of(slots) - tickets;
}

} // namespace

void churn(Target& target, Arguments& arguments)
{
    const auto operations = arguments.number("operations", 1000);
    const auto parallel = arguments.number("parallel", 16);
    const auto warm = arguments.number("warm", 4 * parallel);
    Supply supply{target, arguments.flag("resume")};
    arguments.end();

    std::deque<Slot> slots;
    for (std::uint64_t i = 0; i < parallel; ++i)
        slots.emplace_back(supply);
    run(supply, slots, warm);
    say_ready();
    while (told_to_go()) {
        run(supply, slots, operations);
        say(std::move(supply.report), target.agreement);
    }
}

} // namespace bench
