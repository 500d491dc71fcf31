// What could not be sent yet: bytes that wait for a slow reader, within the shard's budget.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace sallyport::net {

/// How much the slow readers of one shard may hold together. Thread: the shard's.
class HoldBudget {
public:
    explicit HoldBudget(std::size_t bytes) : free_{static_cast<std::ptrdiff_t>(bytes)} {}

    /// Over the budget, connections read in small steps (one TLS record) instead of large ones: nothing is refused, and
    /// what a connection can add is bounded.
    [[nodiscard]] bool exhausted() const { return free_ <= 0; }

private:
    friend class HeldBytes;
    friend class HoldShare;
    std::ptrdiff_t free_;
};

/// What somebody keeps in another way, counted all the same.
class HoldShare {
public:
    explicit HoldShare(HoldBudget& budget) : budget_{budget} {}
    HoldShare(const HoldShare&) = delete;
    HoldShare& operator=(const HoldShare&) = delete;
    ~HoldShare() { set(0); }

    void set(std::size_t held)
    {
        budget_.free_ += static_cast<std::ptrdiff_t>(held_) - static_cast<std::ptrdiff_t>(held);
        held_ = held;
    }

private:
    HoldBudget& budget_;
    std::size_t held_{0};
};

/// Bytes on their way to one slow reader. Owns them; holds no memory while empty.
class HeldBytes {
public:
    explicit HeldBytes(HoldBudget& budget) : budget_{budget} {}
    HeldBytes(const HeldBytes&) = delete;
    HeldBytes& operator=(const HeldBytes&) = delete;
    ~HeldBytes() { clear(); }

    [[nodiscard]] bool empty() const { return used_ == 0; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return {block_.get() + sent_, used_ - sent_}; }

    void append(std::span<const std::byte> bytes);
    /// The first `size` bytes have been sent.
    void consume(std::size_t size);
    void clear();

private:
    HoldBudget& budget_;
    std::unique_ptr<std::byte[]> block_;
    std::size_t sent_{0};
    std::size_t used_{0};
};

} // namespace sallyport::net
