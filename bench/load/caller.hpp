// A connection that stays: opened, warmed by one request, then used by a scenario for one exchange after another.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string_view>

#include "load/exchange.hpp"
#include "load/link.hpp"
#include "load/run.hpp"

namespace bench {

inline constexpr std::string_view kSmallRequest = "GET / HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench\r\n"
                                                  "Accept: */*\r\n\r\n";

class Caller;

/// Told of the end of every exchange; may begin the caller's next one at once.
class Crew {
public:
    virtual ~Crew() = default;
    virtual void answered(Caller& caller, Progress how) = 0;
};

class Caller final : public Waiter {
public:
    /// Connects and makes one small request, whose end `crew` is told of.
    Caller(Target& target, Crew& crew, std::size_t number);

    void call(std::string_view head, std::uint64_t body, Clock::time_point intended);
    void on_ready() override;

    void serve(Crew& crew) { crew_ = &crew; }
    [[nodiscard]] bool busy() const { return busy_; }
    [[nodiscard]] std::size_t number() const { return number_; }
    [[nodiscard]] Clock::time_point intended() const { return intended_; }

private:
    Crew* crew_;
    std::size_t number_;
    Link link_;
    Exchange exchange_;
    Clock::time_point intended_{Clock::now()};
    bool busy_{true};
};

/// Opens so many callers, a few at a time, and returns when each has had its first answer. Exits 1 if one fails.
[[nodiscard]] std::deque<Caller> open_callers(Target& target, std::size_t count);

/// Serves what is ready; waits for it up to `timeout`, for ever if that is negative.
void turn(Target& target, std::chrono::nanoseconds timeout = std::chrono::nanoseconds{-1});

} // namespace bench
