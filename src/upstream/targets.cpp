#include "targets.hpp"

#include <algorithm>
#include <utility>

#include "sallyport/log/log.hpp"

namespace sallyport::upstream {

Targets::Targets(const ipc::Upstream& settings, unsigned shard, net::EventLoop& loop, Pool& pool)
    : name_{settings.name}, loop_{loop}, pool_{pool}, skip_ms_{settings.skip_refused_ms}, next_{shard}
{
    for (std::size_t i = 0; i < settings.addresses.size(); ++i) {
        const ipc::AppAddress& app = settings.addresses[i];
        Entry& entry = entries_.emplace_back();
        if (app.host.empty())
            entry.targets.push_back(new Target{.address = app.address});
        else
            entry.name = std::make_unique<Name>(app, i, *this, name_, loop_);
    }
    gather();
}

Targets::~Targets()
{
    for (Target* target : all_)
        release(*target);
}

void Targets::start(Resolver& resolver)
{
    for (const Entry& entry : entries_)
        if (entry.name) entry.name->start(resolver);
}

void Targets::gather()
{
    all_.clear();
    for (const Entry& entry : entries_)
        all_.insert(all_.end(), entry.targets.begin(), entry.targets.end());
}

bool Targets::are_awaited() const
{
    const auto is_asked_for = [](const Entry& entry) { return entry.name && entry.name->is_asked_for(); };
    return all_.empty() && std::ranges::any_of(entries_, is_asked_for);
}

void Targets::hurry()
{
    for (const Entry& entry : entries_)
        if (entry.name) entry.name->hurry();
}

void Targets::answered(std::size_t index, const std::vector<SocketAddress>& addresses)
{
    Entry& entry = entries_[index];
    std::vector<Target*> now;
    for (const SocketAddress& address : addresses) {
        const auto is_it = [&](const Target* target) { return target->address == address; };
        if (std::ranges::any_of(now, is_it)) continue;
        const auto known = std::ranges::find_if(entry.targets, is_it);
        now.push_back(known != entry.targets.end() ? *known : new Target{.address = address});
    }
    bool some_are_gone = false;
    for (Target* before : std::exchange(entry.targets, std::move(now))) {
        if (std::ranges::find(entry.targets, before) != entry.targets.end()) continue;
        before->gone = some_are_gone = true;
        release(*before); // a connection may still hold it
    }
    gather();
    if (some_are_gone) pool_.close_gone();
    waiting_.resume_all();
}

void Targets::unanswered()
{
    if (!are_awaited()) waiting_.resume_all();
}

void Targets::note_failure(Target& target, const Error& error)
{
    target.skipped_until = loop_.now() + skip_ms_;
    if (size() < 2 || std::exchange(target.failing, true)) return; // of an only one its connections' lines tell
    log::warn("an address of the app fails; the others are used", {{"upstream", name_},
                                                                   {"address", target.address.text()},
                                                                   {"error", name(error.fault)},
                                                                   {"reason", error.cause.message()}});
}

void Targets::note_success(Target& target)
{
    target.skipped_until = 0;
    if (!std::exchange(target.failing, false)) return;
    log::info("an address of the app is back", {{"upstream", name_}, {"address", target.address.text()}});
}

bool Targets::is_unused(const Target& target) const
{
    return target.holders == 1 && target.skipped_until <= loop_.now();
}

bool Targets::have_unused() const
{
    return std::ranges::any_of(all_, [this](const Target* target) { return is_unused(*target); });
}

Targets::Turn::Turn(Targets& targets, Among among)
    : targets_{targets}, among_{among}, first_{targets.next_}, number_{++targets.turns_}
{
}

bool Targets::Turn::fits(const Target& target) const
{
    if (among_ == Among::unused) return targets_.is_unused(target);
    return skips_ ? target.skipped_until <= targets_.loop_.now() : target.last_turn != number_;
}

// The list may change between two calls.
Target* Targets::Turn::next()
{
    for (;;) {
        while (step_ < targets_.all_.size()) {
            const std::size_t index = (first_ + step_++) % targets_.all_.size();
            Target* const target = targets_.all_[index];
            if (!fits(*target)) continue;
            target->last_turn = number_;
            targets_.next_ = index + 1;
            return target;
        }
        if (among_ == Among::unused || !std::exchange(skips_, false)) return nullptr;
        step_ = 0;
    }
}

} // namespace sallyport::upstream
