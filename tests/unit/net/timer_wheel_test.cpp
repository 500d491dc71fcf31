#include "sallyport/net/timer_wheel.hpp"

#include <functional>
#include <memory>
#include <vector>

#include "support/catch.hpp"

using sallyport::net::Deadline;
using sallyport::net::Tick;
using sallyport::net::TimerWheel;

namespace {

class Alarm final : public Deadline {
public:
    explicit Alarm(std::function<void()> action = [] {}) : action_{std::move(action)} {}
    int rang = 0;

private:
    void expired() override
    {
        ++rang;
        action_();
    }
    std::function<void()> action_;
};

constexpr Tick kStart = 1'000'000;

} // namespace

TEST_CASE("A deadline is never early and at most one resolution late", "[net]")
{
    const Tick after = GENERATE(Tick{0}, Tick{1}, Tick{15}, Tick{16}, Tick{17}, Tick{1000}, Tick{32'000}, Tick{33'000},
                                Tick{300'000}, Tick{10'000'000});
    TimerWheel wheel{kStart};
    Alarm alarm;
    wheel.arm(alarm, kStart + after);
    for (Tick now = kStart; alarm.rang == 0; ++now) {
        wheel.advance(now);
        if (alarm.rang != 0) {
            CHECK(now >= kStart + after);
            CHECK(now <= kStart + after + TimerWheel::kResolution);
        }
        REQUIRE(now < kStart + after + 1000);
    }
    CHECK_FALSE(alarm.armed());
}

TEST_CASE("A deadline armed after a long time without any is as exact", "[net]")
{
    const Tick pause = GENERATE(Tick{100}, Tick{32'760}, Tick{33'000}, Tick{100'000}, Tick{12'345'678});
    const Tick after = GENERATE(Tick{16}, Tick{10'000});
    CAPTURE(pause, after);
    TimerWheel wheel{kStart};
    const Tick armed_at = kStart + pause;
    wheel.catch_up(armed_at);
    Alarm alarm;
    wheel.arm(alarm, armed_at + after);
    Tick now = armed_at;
    while (alarm.rang == 0 && now < armed_at + after + 1000)
        wheel.advance(now++);
    CHECK(now >= armed_at + after);
    CHECK(now <= armed_at + after + TimerWheel::kResolution + 1);
}

TEST_CASE("A postponed deadline rings at its new time only", "[net]")
{
    TimerWheel wheel{kStart};
    Alarm alarm;
    wheel.arm(alarm, kStart + 100);
    wheel.advance(kStart + 90);
    alarm.postpone(kStart + 500);
    wheel.advance(kStart + 480);
    CHECK(alarm.rang == 0);
    wheel.advance(kStart + 520);
    CHECK(alarm.rang == 1);
}

TEST_CASE("Arming again moves a deadline earlier", "[net]")
{
    TimerWheel wheel{kStart};
    Alarm alarm;
    wheel.arm(alarm, kStart + 10'000);
    wheel.arm(alarm, kStart + 50);
    wheel.advance(kStart + 80);
    CHECK(alarm.rang == 1);
    wheel.advance(kStart + 20'000);
    CHECK(alarm.rang == 1);
}

TEST_CASE("A disarmed or destroyed deadline never rings", "[net]")
{
    TimerWheel wheel{kStart};
    Alarm alarm;
    wheel.arm(alarm, kStart + 50);
    wheel.disarm(alarm);
    {
        Alarm gone;
        wheel.arm(gone, kStart + 50);
    }
    wheel.advance(kStart + 100);
    CHECK(alarm.rang == 0);
}

TEST_CASE("A ringing deadline may destroy others of its slot and arm new ones", "[net]")
{
    TimerWheel wheel{kStart};
    auto victim = std::make_unique<Alarm>();
    Alarm late;
    Alarm killer{[&] {
        victim.reset();
        wheel.arm(late, kStart + 51);
    }};
    wheel.arm(*victim, kStart + 50);
    wheel.arm(killer, kStart + 50); // the newest of a slot rings first
    wheel.advance(kStart + 200);
    CHECK(killer.rang == 1);
    CHECK(victim == nullptr);
    wheel.advance(kStart + 400);
    CHECK(late.rang == 1);
}

TEST_CASE("After a long pause everything that is due rings once", "[net]")
{
    TimerWheel wheel{kStart};
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (Tick i = 0; i < 3000; ++i) {
        alarms.push_back(std::make_unique<Alarm>());
        wheel.arm(*alarms.back(), kStart + i * 20);
    }
    wheel.advance(kStart + 10'000'000);
    wheel.advance(kStart + 10'000'100);
    for (const auto& alarm : alarms)
        REQUIRE(alarm->rang == 1);
    CHECK_FALSE(wheel.next_look().has_value());
}

TEST_CASE("The next look is never after a deadline", "[net]")
{
    TimerWheel wheel{kStart};
    CHECK_FALSE(wheel.next_look().has_value());
    Alarm near;
    Alarm far;
    wheel.arm(far, kStart + 20'000);
    const auto first = wheel.next_look();
    REQUIRE(first);
    CHECK(*first <= kStart + 20'000 + TimerWheel::kResolution);
    wheel.arm(near, kStart + 40);
    REQUIRE(wheel.next_look());
    CHECK(*wheel.next_look() <= kStart + 40 + TimerWheel::kResolution);
}

TEST_CASE("A deadline that is armed again, for later or earlier, comes at its last time", "[net]")
{
    const Tick first = GENERATE(Tick{20}, Tick{500}, Tick{75'000});
    const Tick second = GENERATE(Tick{40}, Tick{1000}, Tick{60'000}, Tick{300'000});
    const Tick last = GENERATE(Tick{17}, Tick{700}, Tick{80'000});
    CAPTURE(first, second, last);
    TimerWheel wheel{kStart};
    Alarm alarm;
    wheel.arm(alarm, kStart + first);
    wheel.arm(alarm, kStart + second);
    wheel.advance(kStart + 10);
    wheel.arm(alarm, kStart + last);
    for (Tick now = kStart + 10; alarm.rang == 0; ++now) {
        wheel.advance(now);
        REQUIRE((alarm.rang == 0 || now >= kStart + last));
        REQUIRE(now <= kStart + last + TimerWheel::kResolution);
    }
}
