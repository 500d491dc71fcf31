// Sockets, epoll and the end of a program that cannot go on, as the benchmark's own programs need them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

namespace bench {

/// Prints `what` with the text of errno and exits 1: a benchmark that goes on after an error measures something else.
[[noreturn]] void fail(const char* what);

/// Puts this thread on one core. A negative number: wherever the scheduler likes.
void pin_to(int core);

/// As many descriptors as the hard limit allows.
void raise_descriptor_limit();

class Fd {
public:
    Fd() = default;
    explicit Fd(int number) : number_{number} {}
    Fd(Fd&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    Fd& operator=(Fd&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Fd()
    {
        if (number_ >= 0) ::close(number_);
    }

    [[nodiscard]] int number() const { return number_; }

private:
    int number_{-1};
};

/// Non-blocking, on 127.0.0.1, with TCP_NODELAY, which accepted sockets inherit.
[[nodiscard]] Fd listen_on(std::uint16_t port);
/// The next waiting connection, non-blocking; a negative number if there is none.
[[nodiscard]] Fd accept_from(const Fd& listener);
/// A non-blocking connect to 127.0.0.1 that has begun; a negative number if it was refused at once.
[[nodiscard]] Fd connect_to(std::uint16_t port);

/// Edge-triggered, every descriptor registered once for everything; a listener level-triggered.
class Epoll {
public:
    static constexpr std::size_t kBatch = 256;

    Epoll();

    void add(const Fd& fd, void* owner);
    void add_listener(const Fd& fd, void* owner);
    /// What is ready; waits for it up to `timeout`, for ever if that is negative.
    [[nodiscard]] std::span<const epoll_event> wait(std::chrono::nanoseconds timeout = std::chrono::nanoseconds{-1});

private:
    void add(const Fd& fd, void* owner, std::uint32_t events);

    Fd epoll_;
    std::array<epoll_event, kBatch> events_{};
};

} // namespace bench
