#include "sallyport/admin/server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/http/head_scanner.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::admin {

namespace {

/// How soon shards that were asked are looked for again: they answer within a turn of their loop.
constexpr Millis kFirstLook{1};
constexpr Millis kLongestLook{50};

/// Who connects without end must not keep the thread from its other work: poll(2) tells of the rest.
constexpr int kAcceptsPerTurn = 64;

bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// Closing with something unread would take the answer back.
void drop_unread(int fd)
{
    constexpr int kReads = 16;
    std::array<char, 4096> part; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
    for (int i = 0; i < kReads && ::recv(fd, part.data(), part.size(), 0) > 0; ++i) {
    }
}

} // namespace

/// One client: its request comes, maybe its answer is waited for, then it goes out.
class Server::Client {
public:
    enum class State : std::uint8_t { asks, waits_for_shards, is_answered, is_over };

    Client(UniqueFd accepted, TimePoint limit) : fd{std::move(accepted)}, deadline{limit} {}

    UniqueFd fd;
    TimePoint deadline;
    State state{State::asks};
    http::HeadScanner scanner{kHeadLimits};
    std::string request;
    Asked asked;
    TimePoint asked_at{};
    TimePoint next_look{};
    Millis look{kFirstLook};
    std::string response;
    std::size_t sent{0};

    /// What of its socket is waited for.
    [[nodiscard]] short awaited() const
    {
        if (state == State::asks) return POLLIN;
        return state == State::is_answered ? POLLOUT : 0;
    }

    void respond(std::string text)
    {
        response = std::move(text);
        state = State::is_answered;
    }
};

Server::Server(UniqueFd listening, Settings settings, View& view)
    : listening_{std::move(listening)}, settings_{settings}, view_{view}
{
}

Server::~Server() = default;

void Server::add_waits(std::vector<pollfd>& waits) const
{
    if (listening_ && !accepts_again_) waits.push_back({.fd = listening_.get(), .events = POLLIN, .revents = 0});
    for (const Client& client : clients_) {
        waits.push_back({.fd = client.fd.get(), .events = client.awaited(), .revents = 0});
    }
}

std::optional<TimePoint> Server::due() const
{
    std::optional<TimePoint> next;
    const auto by = [&](TimePoint time) { next = next ? std::min(*next, time) : time; };
    if (listening_ && accepts_again_) by(*accepts_again_);
    for (const Client& client : clients_) {
        by(client.deadline);
        if (client.state == Client::State::waits_for_shards) by(client.next_look);
    }
    return next;
}

void Server::serve(TimePoint now)
{
    accept(now);
    for (Client& client : clients_) {
        if (client.state == Client::State::asks) read(client, now);
        if (client.state == Client::State::waits_for_shards) look_for_shards(client, now);
        if (client.state == Client::State::is_answered) write(client);
        if (now >= client.deadline) client.state = Client::State::is_over;
    }
    std::erase_if(clients_, [](const Client& client) { return client.state == Client::State::is_over; });
}

void Server::accept(TimePoint now)
{
    if (!listening_ || (accepts_again_ && now < *accepts_again_)) return;
    accepts_again_.reset();
    for (int taken = 0; taken < kAcceptsPerTurn; ++taken) {
        UniqueFd accepted{::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (!accepted) {
            // A lack of descriptors would make poll(2) return at once, again and again.
            if (!would_block(errno)) accepts_again_ = now + kLongestLook;
            return;
        }
        if (!may_ask(accepted.get())) continue;
        if (clients_.size() >= settings_.connections_max) clients_.pop_front();
        clients_.emplace_back(std::move(accepted), now + settings_.timeout);
    }
}

bool Server::may_ask(int fd)
{
    if (!settings_.checks_peer) return true;
    ucred peer{};
    socklen_t size = sizeof peer;
    const bool known = ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    if (known && (peer.uid == 0 || peer.uid == settings_.uid)) return true;
    if (std::exchange(refused_uid_, peer.uid) != peer.uid)
        log::audit("admin client refused", {{"uid", peer.uid}, {"pid", peer.pid}});
    return false;
}

void Server::read(Client& client, TimePoint now)
{
    std::array<char, 4096> part; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
    const ssize_t got = ::recv(client.fd.get(), part.data(), part.size(), 0);
    if (got < 0 && would_block(errno)) return;
    if (got <= 0) {
        client.state = Client::State::is_over;
        return;
    }
    client.request.append(part.data(), static_cast<std::size_t>(got));
    const auto whole = client.scanner.look(client.request);
    if (!whole)
        client.asked.refusal = 400;
    else if (*whole == 0)
        return;
    else
        client.asked = parse(std::string_view{client.request}.substr(0, *whole));
    begin_answer(client, now);
}

void Server::begin_answer(Client& client, TimePoint now)
{
    if (!client.asked.page) return client.respond(refuse(client.asked.refusal, client.asked.wants_body));
    if (*client.asked.page != Page::health)
        return client.respond(answer(*client.asked.page, client.asked.wants_body, view_, {}));
    view_.ask_shards();
    client.asked_at = client.next_look = now;
    client.state = Client::State::waits_for_shards;
}

void Server::look_for_shards(Client& client, TimePoint now)
{
    if (now < client.next_look) return;
    const auto silent = view_.silent_shards();
    if (silent.empty() || now - client.asked_at >= settings_.shard_patience)
        return client.respond(answer(Page::health, client.asked.wants_body, view_, silent));
    client.next_look = now + client.look;
    client.look = std::min(client.look * 2, kLongestLook);
}

void Server::write(Client& client)
{
    const auto rest = std::span{client.response}.subspan(client.sent);
    const ssize_t sent = ::write(client.fd.get(), rest.data(), rest.size());
    if (sent < 0 && would_block(errno)) return;
    if (sent > 0) client.sent += static_cast<std::size_t>(sent);
    if (sent >= 0 && client.sent < client.response.size()) return;
    ::shutdown(client.fd.get(), SHUT_WR);
    drop_unread(client.fd.get());
    client.state = Client::State::is_over;
}

} // namespace sallyport::admin
