#include "sallyport/net/timer_wheel.hpp"

#include <algorithm>

namespace sallyport::net {

Deadline::~Deadline()
{
    if (wheel_ != nullptr) wheel_->disarm(*this);
}

void TimerWheel::arm(Deadline& deadline, Tick at)
{
    deadline.at_ = at;
    // It will be looked at before that time, and moved then: an exchange goes through stages faster than their limits.
    if (deadline.wheel_ == this && at / kResolution + 1 >= deadline.slot_) return;
    disarm(deadline);
    insert(deadline);
}

void TimerWheel::insert(Deadline& deadline)
{
    // Rounded up, so that it is never early; at most one turn ahead, so that a slot means one time only.
    const Tick slot = std::clamp(deadline.at_ / kResolution + 1, cursor_ + 1, cursor_ + kSlots - 1);
    Deadline*& head = slots_[slot % kSlots];
    deadline.next_ = head;
    deadline.link_ = &head;
    if (head != nullptr) head->link_ = &deadline.next_;
    head = &deadline;
    deadline.wheel_ = this;
    deadline.slot_ = slot;
    earliest_ = std::min(earliest_, slot);
}

void TimerWheel::disarm(Deadline& deadline)
{
    if (deadline.wheel_ == nullptr) return;
    *deadline.link_ = deadline.next_;
    if (deadline.next_ != nullptr) deadline.next_->link_ = deadline.link_;
    deadline.next_ = nullptr;
    deadline.link_ = nullptr;
    deadline.wheel_ = nullptr;
}

void TimerWheel::catch_up(Tick now)
{
    cursor_ = std::max(cursor_, std::min(now / kResolution, earliest_ - 1));
}

void TimerWheel::advance(Tick now)
{
    const Tick target = now / kResolution;
    catch_up(now);
    if (target < earliest_) return;
    const Tick last = std::min(target, cursor_ + kSlots); // after a long pause, one turn looks at every slot
    while (cursor_ < last) {
        ++cursor_;
        look_at_slot(cursor_, now);
    }
    cursor_ = target;
    find_earliest();
}

// expired() may arm, disarm or destroy others, so the list is taken apart from its head. What was postponed goes to a
// later slot, never back into this one.
void TimerWheel::look_at_slot(Tick slot, Tick now)
{
    while (Deadline* deadline = slots_[slot % kSlots]) {
        disarm(*deadline);
        if (deadline->at_ > now)
            insert(*deadline);
        else
            deadline->expired();
    }
}

void TimerWheel::find_earliest()
{
    earliest_ = kNever;
    for (Tick slot = cursor_ + 1; slot < cursor_ + kSlots; ++slot) {
        if (slots_[slot % kSlots] == nullptr) continue;
        earliest_ = slot;
        return;
    }
}

std::optional<Tick> TimerWheel::next_look() const
{
    if (earliest_ == kNever) return std::nullopt;
    return earliest_ * kResolution;
}

} // namespace sallyport::net
