#include "http2_apps.hpp"

#include <algorithm>
#include <utility>

#include "connection.hpp"

namespace sallyport::proxy {

Http2Apps::~Http2Apps()
{
    if (reaching_ != nullptr) resume_all(reaching_->cancel());
}

// Those with equally few have their turn, so that none of them becomes idle while others are used.
Http2AppConnection* Http2Apps::find()
{
    const std::size_t count = connections_.size();
    const std::size_t first = around.upstream.has_several_addresses() ? next_ : 0;
    Http2AppConnection* found = nullptr;
    for (std::size_t step = 0; step < count; ++step) {
        const std::size_t at = (first + step) % count;
        Http2AppConnection& c = *connections_[at];
        if (!c.has_room() || (found != nullptr && c.users() >= found->users())) continue;
        found = &c;
        next_ = at + 1;
        if (!around.upstream.has_several_addresses()) break;
    }
    return found;
}

void Http2Apps::spread()
{
    if (!keeps_ || connecting_ || reaching_ != nullptr) return;
    if (around.upstream.has_several_addresses() && around.upstream.has_unused_address()) reach_unused();
}

// Nobody waits for it: an address that does not answer delays no exchange.
net::Detached Http2Apps::reach_unused()
{
    upstream::Attempt attempt;
    reaching_ = &attempt;
    auto connected = co_await around.upstream.connect(attempt, upstream::Among::unused);
    reaching_ = nullptr;
    if (connected && keeps_) add(std::move(*connected));
}

Http2AppConnection& Http2Apps::add(upstream::AppConnectionPtr connection)
{
    return *connections_.emplace_back(std::make_unique<Http2AppConnection>(*this, std::move(connection)));
}

// Whoever waited looks for room, or connects in its turn.
void Http2Apps::end_connecting()
{
    connecting_ = false;
    wake_line();
}

// They are taken before the first is resumed.
void Http2Apps::wake_line()
{
    std::vector<net::Watch::Waiters> waiting;
    for (net::Watch* const watch : std::exchange(line_, {}))
        waiting.push_back(watch->wake());
    for (const net::Watch::Waiters& waiters : waiting)
        resume_all(waiters);
}

void Http2Apps::keep_no_more()
{
    keeps_ = false;
    if (reaching_ != nullptr) resume_all(reaching_->cancel());
    for (const auto& connection : connections_)
        connection->keep_no_more();
}

void Http2Apps::sweep_later()
{
    around.loop.post([this] { std::erase_if(connections_, [](const auto& c) { return c->ended(); }); });
}

} // namespace sallyport::proxy
