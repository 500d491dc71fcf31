// The coroutine of the data path: lazy, owned, without an allocation beyond its pooled frame.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "sallyport/net/frame_pool.hpp"

namespace sallyport::net {

namespace detail {

struct PooledFrame {
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* block, std::size_t size) noexcept { release_frame(block, size); }
};

struct TaskPromiseBase : PooledFrame {
    struct FinalAwaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <typename Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept
        {
            return self.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
    // Nothing on the data path throws but a lack of memory, and that ends the worker.
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

    std::coroutine_handle<> continuation = std::noop_coroutine();
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
    void return_value(T result) { value.emplace(std::move(result)); }
    std::optional<T> value;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
    void return_void() const noexcept {}
};

} // namespace detail

/// A coroutine that yields one T, once. It begins when awaited, or with `start()`, which lets it run beside its owner
/// until the owner awaits it.
///
/// Give an awaited result a name: in a condition or an argument g++ 12 may keep it before the frame's own head, and the
/// coroutine then never resumes.
///
/// Owns: its frame; a task that has begun must have ended before it is destroyed (cancel what it waits for, and await
/// it). Thread: one shard. Errors: values; an exception ends the process.
template <typename T>
class [[nodiscard]] Task {
public:
    struct promise_type : detail::TaskPromise<T> {
        Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    };

    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)}, started_{other.started_} {}
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    Task& operator=(Task&&) = delete;
    ~Task()
    {
        if (handle_) handle_.destroy();
    }

    void start()
    {
        started_ = true;
        handle_.resume();
    }

    /// Takes the frame over, and frees it as soon as the result is taken.
    auto operator co_await() && noexcept
    {
        // Trivial, and without a reference to the task: g++ 12 keeps a temporary task of an `if` to the end of its
        // coroutine, and loses one that an awaiter refers to.
        struct Awaiter {
            [[nodiscard]] bool await_ready() const noexcept { return handle.done(); }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept
            {
                handle.promise().continuation = awaiting;
                return started ? std::noop_coroutine() : std::coroutine_handle<>{handle};
            }
            T await_resume()
            {
                const Task ended{handle};
                if constexpr (!std::is_void_v<T>) return std::move(*handle.promise().value);
            }
            std::coroutine_handle<promise_type> handle;
            bool started;
        };
        return Awaiter{std::exchange(handle_, nullptr), started_};
    }

private:
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_{handle} {}

    std::coroutine_handle<promise_type> handle_;
    bool started_{false};
};

/// A coroutine that nobody awaits: it runs at once and frees its frame when it ends. Whoever spawns one keeps count of
/// it (Shard does), so that a drain can wait for it and a stop can cancel it.
struct Detached {
    struct promise_type : detail::PooledFrame {
        [[nodiscard]] Detached get_return_object() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};

} // namespace sallyport::net
