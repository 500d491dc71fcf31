// The living connections of one shard, and who waits for a place among them.
#pragma once

#include <coroutine>
#include <cstdint>
#include <utility>
#include <vector>

#include "connection.hpp"
#include "sallyport/net/event_loop.hpp"

namespace sallyport::proxy {

/// Borrows the connections: each puts itself on it and takes itself off. Thread: the shard's.
class Roster {
public:
    Roster(net::EventLoop& loop, std::uint32_t places) : loop_{loop}, places_{places} {}
    Roster(const Roster&) = delete;
    Roster& operator=(const Roster&) = delete;

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] bool full() const { return count_ >= places_; }

    void enlist(Connection& connection)
    {
        ++count_;
        connection.older = newest_;
        connection.link = &newest_;
        if (newest_ != nullptr) newest_->link = &connection.older;
        newest_ = &connection;
    }
    void dismiss(Connection& connection)
    {
        *connection.link = connection.older;
        if (connection.older != nullptr) connection.older->link = connection.link;
        --count_;
        wake_waiting();
    }

    /// Newest first. `what` may end its connection, and no other one.
    template <typename What>
    void for_each(What what)
    {
        for (Connection* connection = newest_; connection != nullptr;) {
            Connection* const older = connection->older;
            what(*connection);
            connection = older;
        }
    }

    /// `co_await` it to wait until a place may be free. Who waits is woken for other reasons, too: look again.
    class FreePlace {
    public:
        explicit FreePlace(Roster& roster) : roster_{roster} {}
        [[nodiscard]] bool await_ready() const noexcept { return !roster_.full(); }
        void await_suspend(std::coroutine_handle<> waiting) { roster_.waiting_.push_back(waiting); }
        void await_resume() const noexcept {}

    private:
        Roster& roster_;
    };
    void wake_waiting()
    {
        for (const std::coroutine_handle<> waiter : std::exchange(waiting_, {}))
            loop_.resume_later(waiter);
    }

private:
    net::EventLoop& loop_;
    std::uint32_t places_;
    std::uint32_t count_{0};
    Connection* newest_{nullptr};
    std::vector<std::coroutine_handle<>> waiting_;
};

} // namespace sallyport::proxy
