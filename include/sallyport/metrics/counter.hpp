// Figures that one thread writes and others read, in memory that processes share: no lock, no read-modify-write.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sallyport::metrics {

/// Never falls while its page lives. Thread: one writes, any reads.
class Counter {
public:
    void add(std::uint64_t more = 1)
    {
        const std::atomic_ref slot{value_};
        slot.store(slot.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t read() const
    {
        // A reader's mapping may be read-only: a load writes nothing.
        return std::atomic_ref{const_cast<std::uint64_t&>(value_)}.load(std::memory_order_relaxed);
    }

private:
    std::uint64_t value_;
};

/// What is now. Thread: one writes, any reads.
class Gauge {
public:
    void set(std::uint64_t value) { std::atomic_ref{value_}.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t read() const
    {
        return std::atomic_ref{const_cast<std::uint64_t&>(value_)}.load(std::memory_order_relaxed);
    }

private:
    std::uint64_t value_;
};

/// Times in milliseconds, in buckets up to 1, 2, 4 … 65,536 ms and above.
struct Histogram {
    static constexpr std::size_t kBounds = 17;
    std::array<Counter, kBounds + 1> buckets; ///< each without those below it
    Counter milliseconds;                     ///< all together

    void add(std::uint64_t ms)
    {
        const auto bucket = static_cast<std::size_t>(std::bit_width(ms - (ms != 0 ? 1 : 0)));
        buckets[bucket < kBounds ? bucket : kBounds].add();
        milliseconds.add(ms);
    }
};

} // namespace sallyport::metrics
