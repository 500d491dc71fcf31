#include "load/caller.hpp"

#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

constexpr std::size_t kOpeningAtOnce = 32;

class Opening final : public Crew {
public:
    void answered(Caller&, Progress how) override
    {
        if (how == Progress::failed) {
            std::fputs("a connection could not be opened and warmed\n", stderr);
            std::exit(1);
        }
        ++warm;
    }

    std::size_t warm{};
};

} // namespace

Caller::Caller(Target& target, Crew& crew, std::size_t number)
    : crew_{&crew}, number_{number}, link_{target, *this, nullptr}
{
    exchange_.begin(kSmallRequest);
}

void Caller::call(std::string_view head, std::uint64_t body, Clock::time_point intended)
{
    busy_ = true;
    intended_ = intended;
    exchange_.begin(head, body);
    on_ready();
}

void Caller::on_ready()
{
    if (!busy_) return;
    Progress progress = link_.shake_hands();
    if (progress == Progress::done) progress = exchange_.advance(link_);
    if (progress == Progress::waiting) return;
    busy_ = false;
    crew_->answered(*this, progress);
}

std::deque<Caller> open_callers(Target& target, std::size_t count)
{
    std::deque<Caller> callers;
    Opening opening;
    while (opening.warm < count) {
        while (callers.size() < count && callers.size() < opening.warm + kOpeningAtOnce)
            callers.emplace_back(target, opening, callers.size());
        turn(target);
    }
    return callers;
}

void turn(Target& target, std::chrono::nanoseconds timeout)
{
    for (const epoll_event& event : target.epoll.wait(timeout))
        static_cast<Waiter*>(event.data.ptr)->on_ready();
}

} // namespace bench
