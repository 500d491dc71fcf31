#include "sallyport/proxy/shard.hpp"

#include <utility>

#include "accept_loop.hpp"
#include "connection.hpp"
#include "sallyport/tls/remote_key.hpp"

namespace sallyport::proxy {

namespace {

/// Counters have one writer: a load and a store, no read-modify-write.
void count(std::atomic<std::uint64_t>& counter)
{
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

} // namespace

Shard::Shard(const ipc::Limits& limits, std::vector<Listener> listeners, tls::SignChannel& keys)
    : limits_{limits}, listeners_{std::move(listeners)}, keys_{keys}, budget_{limits.buffer_bytes_max}
{
}

Shard::~Shard() = default;

void Shard::run()
{
    tls::use_sign_channel(&keys_);
    loop_.post([this] {
        accept_loops_ = listeners_.size();
        for (Listener& listener : listeners_)
            accept_loop(*this, listener);
    });
    loop_.run();
    tls::use_sign_channel(nullptr);
}

void Shard::use_contexts(std::vector<tls::ServerContexts> contexts)
{
    auto shared = std::make_shared<std::vector<tls::ServerContexts>>(std::move(contexts));
    loop_.post([this, shared] {
        for (std::size_t i = 0; i < listeners_.size(); ++i)
            listeners_[i].contexts = std::move((*shared)[i]);
    });
}

void Shard::use_tickets(std::shared_ptr<const tls::Credentials> credentials)
{
    loop_.post([this, credentials = std::move(credentials)] {
        for (Listener& listener : listeners_)
            listener.contexts.use_tickets(credentials->tickets);
    });
}

void Shard::drain(std::uint32_t timeout_ms)
{
    loop_.post([this, timeout_ms] { begin_drain(timeout_ms); });
}

void Shard::begin_drain(std::uint32_t timeout_ms)
{
    if (draining_) return;
    draining_ = true;
    loop_.arm(drain_deadline_, loop_.now() + timeout_ms);
    // Each loop empties its queue, and takes itself off this list when it ends.
    const auto watches = listener_watches_;
    for (net::Watch* watch : watches) {
        for (const std::coroutine_handle<> waiter : watch->cancel()) {
            if (waiter) waiter.resume();
        }
    }
    end_if_drained();
}

void Shard::end_accepting(Listener& listener, net::Watch& watch)
{
    std::erase(listener_watches_, &watch);
    loop_.poller().forget(listener.fd.get(), watch);
    listener.fd.reset();
    --accept_loops_;
    end_if_drained();
}

void Shard::end_if_drained()
{
    if (draining_ && accept_loops_ == 0 && connections_ == 0) loop_.stop();
}

// A cut ends its own connection and no other; one that waits for its turn ends when that comes.
void Shard::cut_connections()
{
    cutting_ = true;
    for (Connection* connection = newest_; connection != nullptr;) {
        Connection* const older = connection->older;
        connection->cut();
        connection = older;
    }
    end_if_drained();
}

void Shard::enlist(Connection& connection)
{
    ++connections_;
    connection.older = newest_;
    connection.link = &newest_;
    if (newest_ != nullptr) newest_->link = &connection.older;
    newest_ = &connection;
}

void Shard::dismiss(Connection& connection)
{
    *connection.link = connection.older;
    if (connection.older != nullptr) connection.older->link = connection.link;
    --connections_;
    for (const std::coroutine_handle<> waiter : std::exchange(waiting_for_slot_, {}))
        loop_.resume_later(waiter);
    end_if_drained();
}

void Shard::count_end(bool cut)
{
    count(cut ? counters_.cut : counters_.finished);
}

} // namespace sallyport::proxy
