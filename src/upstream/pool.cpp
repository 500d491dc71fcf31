#include "pool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <utility>

#include <sys/socket.h>

#include "target.hpp"

namespace sallyport::upstream {

namespace {

/// The part of what the app announces that counts: its clock began before ours, and its close may be on the way.
constexpr net::Tick kPercentOfAnnounced = 80;
constexpr net::Tick kMsPerSecond = 1000;

/// Whether the app is silent and has not closed. Asks the kernel only where the flags leave it open: what was read last
/// has filled its buffer.
bool is_quiet(net::Socket& socket)
{
    if (socket.broken() || socket.watch().peer_finished() || socket.holds()) return false;
    if (socket.watch().quiet()) return true;
    std::byte byte{};
    if (::recv(socket.fd(), &byte, sizeof byte, MSG_PEEK) >= 0 || errno != EAGAIN) return false;
    socket.watch().clear_readable();
    return true;
}

} // namespace

Pool::Pool(std::uint32_t idle_ms, std::uint32_t idle_max, net::EventLoop& loop)
    : loop_{loop}, idle_ms_{idle_ms}, idle_max_{idle_max}
{
}

Pool::~Pool()
{
    close_all();
}

// A readiness of this very turn is in the flags already, though its connection has not been told.
AppConnectionPtr Pool::take()
{
    while (newest_ != nullptr) {
        AppConnectionPtr connection = remove(*newest_);
        if (connection->good_until_ > loop_.now() && connection->socket_.watch().quiet()) return connection;
    }
    return nullptr;
}

void Pool::give_back(AppConnectionPtr connection, std::optional<std::uint32_t> announced_s)
{
    if (idle_max_ == 0 || connection->target_.gone || !is_quiet(connection->socket_)) return;
    connection->good_until_ = loop_.now() + time_for(announced_s);
    if (!armed() || connection->good_until_ < looks_at_) {
        looks_at_ = connection->good_until_;
        loop_.arm(*this, looks_at_);
    }
    if (size_ == idle_max_) static_cast<void>(remove(*oldest_));
    insert(*connection.release());
}

net::Tick Pool::time_for(std::optional<std::uint32_t> announced_s) const
{
    if (!announced_s) return idle_ms_;
    return std::min(idle_ms_, *announced_s * kMsPerSecond * kPercentOfAnnounced / 100);
}

void Pool::insert(AppConnection& connection)
{
    connection.pool_ = this;
    connection.reused_ = true;
    connection.socket_.watch().set_partner(nullptr);
    connection.socket_.watch().set_observer(&connection);
    connection.newer_ = nullptr;
    connection.older_ = newest_;
    (newest_ != nullptr ? newest_->newer_ : oldest_) = &connection;
    newest_ = &connection;
    ++size_;
}

AppConnectionPtr Pool::remove(AppConnection& connection)
{
    (connection.newer_ != nullptr ? connection.newer_->older_ : newest_) = connection.older_;
    (connection.older_ != nullptr ? connection.older_->newer_ : oldest_) = connection.newer_;
    connection.socket_.watch().set_observer(nullptr);
    connection.pool_ = nullptr;
    --size_;
    return AppConnectionPtr{&connection};
}

void Pool::ended(AppConnection& connection)
{
    if (!connection.socket_.watch().quiet()) static_cast<void>(remove(connection));
}

// One look for all: those given back since it was armed are good for longer, unless the app has announced less.
void Pool::expired()
{
    net::Tick next = std::numeric_limits<net::Tick>::max();
    for (AppConnection* connection = oldest_; connection != nullptr;) {
        AppConnection* const newer = connection->newer_;
        if (connection->good_until_ <= loop_.now())
            static_cast<void>(remove(*connection));
        else
            next = std::min(next, connection->good_until_);
        connection = newer;
    }
    if (size_ == 0) return;
    looks_at_ = next;
    loop_.arm(*this, looks_at_);
}

void Pool::close_all()
{
    while (newest_ != nullptr)
        static_cast<void>(remove(*newest_));
}

void Pool::close_gone()
{
    for (AppConnection* connection = oldest_; connection != nullptr;) {
        AppConnection* const newer = connection->newer_;
        if (connection->target_.gone) static_cast<void>(remove(*connection));
        connection = newer;
    }
}

void Pool::keep_no_more()
{
    idle_max_ = 0;
    close_all();
}

} // namespace sallyport::upstream
