// Deadlines of many connections at the price of a store each: one wheel per shard, driven by one timer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sallyport::net {

/// Milliseconds on the shard's clock (steady, from an arbitrary start).
using Tick = std::uint64_t;

class TimerWheel;

/// Something with a deadline. Extending it (`postpone`) is one store: the wheel looks again when the old time has come.
/// Owns: its place in the wheel, which it leaves when destroyed. Thread: the shard's.
class Deadline {
public:
    Deadline() = default;
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// Moves the deadline later (or a little earlier, which is then noticed late): no work in the wheel.
    void postpone(Tick at) { at_ = at; }
    [[nodiscard]] bool armed() const { return wheel_ != nullptr; }

    virtual ~Deadline();

private:
    friend class TimerWheel;
    /// The deadline has passed; it is no longer in the wheel. May destroy itself.
    virtual void expired() = 0;

    Tick at_{0};
    Tick slot_{0}; ///< where it is in the wheel; `at_` may be later
    Deadline* next_{nullptr};
    Deadline** link_{nullptr}; ///< what points to this one
    TimerWheel* wheel_{nullptr};
};

/// Times are exact to kResolution, never early. Deadlines beyond the wheel's turn (about 33 s) are looked at once a
/// turn.
class TimerWheel {
public:
    static constexpr Tick kResolution = 16;
    static constexpr std::size_t kSlots = 2048;

    explicit TimerWheel(Tick now) : cursor_{now / kResolution} {}
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    /// Sets the deadline. Work in the wheel only if it was not in it, or is to come earlier than it would be looked at.
    void arm(Deadline& deadline, Tick at);
    void disarm(Deadline& deadline);

    /// To be called before anything is armed in a turn: `arm` counts from the time that the wheel knows.
    void catch_up(Tick now);
    /// Calls expired() of all whose time has come. Costs a comparison while nothing is due.
    void advance(Tick now);

    /// When `advance` next has something to look at (it may find that all has been postponed or disarmed); nothing if
    /// no deadline was armed.
    [[nodiscard]] std::optional<Tick> next_look() const;

private:
    void insert(Deadline& deadline);
    void look_at_slot(Tick slot, Tick now);
    void find_earliest();

    static constexpr Tick kNever = ~Tick{0};

    std::array<Deadline*, kSlots> slots_{};
    Tick cursor_;           ///< the last slot (absolute number) that was looked at
    Tick earliest_{kNever}; ///< no slot before this one holds anything
};

} // namespace sallyport::net
