// One descriptor's readiness, as a coroutine awaits it.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <utility>

namespace sallyport::net {

class Poller;

/// Readiness of one descriptor, registered once and edge-triggered: the flags remember what the kernel said until a
/// call answered EAGAIN and the caller cleared them. At most one coroutine waits for each direction.
///
/// Borrows: the descriptor, which must be closed no earlier than this is detached or destroyed. Thread: the shard's.
/// Cancellation: `cancel()` makes every later wait return at once with false; whoever waits now is handed out, to be
/// resumed when all watches of the connection are cancelled (the first to run may end it).
class Watch {
public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    class Awaiter {
    public:
        Awaiter(Watch& watch, bool ready, std::coroutine_handle<>& slot) : watch_{watch}, slot_{slot}, ready_{ready} {}
        [[nodiscard]] bool await_ready() const noexcept { return ready_ || watch_.cancelled_; }
        void await_suspend(std::coroutine_handle<> waiting) noexcept { slot_ = waiting; }
        /// False: cancelled.
        [[nodiscard]] bool await_resume() const noexcept { return !watch_.cancelled_; }

    private:
        Watch& watch_;
        std::coroutine_handle<>& slot_;
        bool ready_;
    };

    /// May return without readiness (a partner broke): try the call again, and wait again after EAGAIN.
    [[nodiscard]] Awaiter readable() { return {*this, readable_, reader_}; }
    /// The same, but `already` does not wait.
    [[nodiscard]] Awaiter readable_or(bool already) { return {*this, already || readable_, reader_}; }
    [[nodiscard]] Awaiter writable() { return {*this, writable_, writer_}; }
    /// Of something that has no descriptor: its owner knows, and wakes.
    [[nodiscard]] Awaiter readable_if(bool ready) { return {*this, ready, reader_}; }
    [[nodiscard]] Awaiter writable_if(bool ready) { return {*this, ready, writer_}; }

    void clear_readable() { readable_ = false; }
    void clear_writable() { writable_ = false; }
    /// The peer has finished writing: a short read does not mean that nothing is left (the FIN is).
    [[nodiscard]] bool peer_finished() const { return peer_finished_; }
    /// The connection is dead in both directions (reset, or an error is pending).
    [[nodiscard]] bool broken() const { return broken_; }

    /// As far as the kernel has said: nothing to read, and the peer is there.
    [[nodiscard]] bool quiet() const { return !readable_ && !peer_finished_ && !broken_; }

    /// Is told, after the waiters, of every readiness.
    class Observer {
    public:
        Observer() = default;
        Observer(const Observer&) = delete;
        Observer& operator=(const Observer&) = delete;
        /// May destroy the watch.
        virtual void became_ready() = 0;

    protected:
        virtual ~Observer() = default;
    };
    void set_observer(Observer* observer) { observer_ = observer; }

    /// When this one breaks, whoever waits on the partner is woken too: a client that resets is noticed while the app
    /// is being waited for.
    void set_partner(Watch* partner) { partner_ = partner; }

    using Waiters = std::array<std::coroutine_handle<>, 2>;
    [[nodiscard]] Waiters cancel()
    {
        cancelled_ = true;
        return wake();
    }
    /// Hands out whoever waits, as if something were ready: to be resumed by the caller.
    [[nodiscard]] Waiters wake() { return {std::exchange(reader_, nullptr), std::exchange(writer_, nullptr)}; }
    [[nodiscard]] bool cancelled() const { return cancelled_; }
    /// A poller tells it what happens.
    [[nodiscard]] bool is_watched() const { return poller_ != nullptr; }

private:
    friend class Poller;
    void note(std::uint32_t events);

    std::coroutine_handle<> reader_;
    std::coroutine_handle<> writer_;
    Watch* partner_{nullptr};
    Observer* observer_{nullptr};
    Poller* poller_{nullptr};
    std::int32_t batch_index_{-1};
    bool readable_{false};
    bool writable_{true};
    bool peer_finished_{false};
    bool broken_{false};
    bool cancelled_{false};
};

} // namespace sallyport::net
