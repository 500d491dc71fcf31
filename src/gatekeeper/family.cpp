#include "family.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

Family::Family(std::string directory, GenerationPlan plan, Secrets& secrets, Patience patience)
    : directory_{std::move(directory)}, secrets_{secrets}, patience_{patience}
{
    generations_.push_back(
        std::make_unique<Generation>(++born_, directory_, std::move(plan), secrets_, figures_, patience_));
}

const Generation& Family::current() const
{
    return rising_ ? **std::prev(generations_.end(), 2) : *generations_.back();
}

/// A generation that fails before it has served takes nobody with it, unless it is the first.
template <typename What>
void Family::each(What what)
{
    for (auto next = generations_.begin(); next != generations_.end();) {
        Generation& generation = **next++;
        try {
            what(generation);
        } catch (const StartError& error) {
            if (!rising_ || &generation != generations_.back().get()) throw;
            give_up_rising(error.what());
        }
    }
}

void Family::tend(TimePoint now)
{
    bury_generations();
    if (next_) make_room(now);
    each([now](Generation& generation) { generation.tend(now); });
    look_at_rising(now);
    house().generations.set(generations_.size());
}

TimePoint Family::due() const
{
    TimePoint next = TimePoint::max();
    for (const auto& generation : generations_)
        next = std::min(next, generation->due());
    return next;
}

std::vector<int> Family::channels() const
{
    std::vector<int> channels;
    for (const auto& generation : generations_) {
        channels.push_back(generation->keyholder_channel());
        channels.push_back(generation->worker_channel());
    }
    return channels;
}

void Family::listen(TimePoint now)
{
    each([now](Generation& generation) { generation.listen(now); });
}

std::vector<int> Family::listening() const
{
    return generations_.empty() ? std::vector<int>{} : current().listening();
}

/// Any worker that has ever had the socket may have kept a descriptor of it.
void Family::check_listeners()
{
    bool stopped = false;
    for (const auto& generation : generations_)
        if (generation.get() == &current()) stopped = generation->check_listeners();
    if (!stopped) return;
    for (const auto& generation : generations_)
        if (generation->draining()) generation->kill_worker("it may have stopped a listening socket");
}

void Family::bury(pid_t pid, int status, TimePoint now)
{
    each([=](Generation& generation) { generation.bury(pid, status, now); });
}

void Family::reload(TimePoint now)
{
    for (const auto& generation : generations_)
        if (generation.get() == &current()) generation->reload(now);
}

void Family::renew(GenerationPlan plan)
{
    next_ = std::make_unique<Generation>(++born_, directory_, std::move(plan), secrets_, figures_, patience_);
    next_->hold_worker(held_);
}

/// The oldest go first; one that has been cut is waited for.
void Family::make_room(TimePoint now)
{
    const ReloadSettings& rules = next_->settings().reload;
    const std::size_t most = rules.generations_max;
    if (generations_.size() < most) {
        generations_.push_back(std::move(next_));
        rising_ = true;
        return;
    }
    std::size_t too_many = generations_.size() - most + 1;
    for (const auto& generation : generations_) {
        if (too_many-- == 0 || !generation->draining()) return;
        if (generation->number() <= cut_) continue;
        cut_ = generation->number();
        log::warn("generation cut", {{"generation", cut_}, {"reason", "reload.max_generations are alive"}});
        generation->drain(now, Millis{rules.last_call_ms}, false);
    }
}

void Family::look_at_rising(TimePoint now)
{
    established_ = established_ || (!generations_.empty() && generations_.front()->established());
    if (!rising_ || !generations_.back()->established()) return;
    Generation& before = **std::prev(generations_.end(), 2);
    rising_ = false;
    outcome_.emplace();
    before.drain(now, Millis{generations_.back()->settings().reload.drain_ms}, true);
}

void Family::give_up_rising(const std::string& reason)
{
    outcome_ = Outcome{reason};
    generations_.pop_back(); // which kills and reaps its children
    rising_ = false;
}

void Family::bury_generations()
{
    for (auto next = generations_.begin(); next != generations_.end();) {
        const auto one = next++;
        if (!(*one)->gone()) continue;
        count(**one);
        generations_.erase(one);
    }
}

void Family::count(const Generation& gone)
{
    const auto& drained = gone.drained();
    if (!draining_ && drained)
        log::info("generation drained",
                  {{"generation", gone.number()}, {"finished", drained->finished}, {"cut", drained->cut}});
    else if (!draining_)
        log::error("generation ended without draining", {{"generation", gone.number()}});
    else if (drained && drained_)
        drained_ = ipc::Drained{drained_->finished + drained->finished, drained_->cut + drained->cut};
    else
        drained_.reset();
}

void Family::hold_worker(bool held)
{
    held_ = held;
    if (next_) next_->hold_worker(held);
    for (const auto& generation : generations_)
        generation->hold_worker(held);
}

void Family::unready()
{
    static const std::string kReason = "the end was asked for";
    if (std::exchange(next_, nullptr)) outcome_ = Outcome{kReason};
    if (rising_) give_up_rising(kReason);
    house().draining.set(1);
    for (const auto& generation : generations_)
        generation->unready();
}

void Family::drain(TimePoint now, Millis limit)
{
    unready();
    draining_ = true;
    for (const auto& generation : generations_)
        generation->drain(now, limit, false);
    bury_generations();
}

} // namespace sallyport::gatekeeper
