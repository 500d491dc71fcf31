#include "health.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app_listens.hpp"
#include "sallyport/base/text.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::gatekeeper {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kResponseMax = std::size_t{16} * 1024;
constexpr std::size_t kEndpointsMax = 16; ///< of others
constexpr std::string_view kOwnName = "@sallyport-";

/// Each generation's worker answers for itself; one that is replaced in this very moment may leave without a word.
constexpr int kAttempts = 5;

struct NoAnswer {
    std::string line; ///< for the operator
    bool hung_up{};   ///< by who had taken the connection
    bool is_nobody{}; ///< the name is not taken
};

std::unexpected<NoAnswer> no_answer(const std::string& where, int error)
{
    return std::unexpected{NoAnswer{"unhealthy: nobody answers at " + where + ": " +
                                        std::generic_category().message(error) +
                                        "; it must run, with the same listeners and admin.bind",
                                    error == EPIPE || error == ECONNRESET, error == ECONNREFUSED}};
}

/// True: the descriptor is ready for it. False: the time is over.
bool wait_for(int fd, short events, Clock::time_point limit)
{
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - Clock::now()).count();
        if (left <= 0) return false;
        pollfd entry{.fd = fd, .events = events, .revents = 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(left));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

std::expected<void, int> connect(int fd, const SocketAddress& address, Clock::time_point limit)
{
    if (::connect(fd, address.data(), address.size()) == 0) return {};
    if (errno != EINPROGRESS) return std::unexpected{errno};
    if (!wait_for(fd, POLLOUT, limit)) return std::unexpected{ETIMEDOUT};
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return std::unexpected{error};
    return {};
}

/// Who listens; nothing: not to be told.
std::optional<ucred> peer_of(int fd, const config::AdminPlace& place)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    if (!place.address->is_unix() || ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
    return peer;
}

/// Anybody may bind an abstract name that is free.
bool is_stranger(const ucred& peer, const config::AdminPlace& place)
{
    return peer.uid != 0 && peer.uid != ::geteuid() && peer.uid != place.uid;
}

UniqueFd socket_for(const SocketAddress& address)
{
    return UniqueFd{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

/// One in another container that shares the network alone is a process without a number here.
bool is_ours(const config::AdminPlace& place)
{
    const UniqueFd fd = socket_for(*place.address);
    if (!fd || !connect(fd.get(), *place.address, Clock::now() + place.timeout)) return false;
    const auto peer = peer_of(fd.get(), place);
    return peer && peer->pid > 0 && !is_stranger(*peer, place);
}

std::expected<std::string, int> read_to_end(int fd, Clock::time_point limit)
{
    std::string response;
    std::array<char, 4096> part; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
    while (response.size() < kResponseMax) {
        if (!wait_for(fd, POLLIN, limit)) return std::unexpected{ETIMEDOUT};
        const ssize_t got = ::recv(fd, part.data(), part.size(), 0);
        if (got < 0) return std::unexpected{errno};
        if (got == 0 && response.empty()) return std::unexpected{ECONNRESET};
        if (got == 0) break;
        response.append(part.data(), static_cast<std::size_t>(got));
    }
    return response;
}

std::expected<Verdict, NoAnswer> ask_once(const config::AdminPlace& place, std::string_view path)
{
    const std::string where = place.address->text();
    const auto limit = Clock::now() + place.timeout;
    const UniqueFd fd = socket_for(*place.address);
    if (!fd) return no_answer(where, errno);
    if (const auto connected = connect(fd.get(), *place.address, limit); !connected)
        return no_answer(where, connected.error());
    if (const auto peer = peer_of(fd.get(), place); peer && is_stranger(*peer, place))
        return std::unexpected{NoAnswer{"unhealthy: user " + std::to_string(peer->uid) + " answers at " + where +
                                        ", who is neither us nor root"}};
    const std::string request = "GET " + std::string{path} + " HTTP/1.1\r\nhost: localhost\r\n\r\n";
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return no_answer(where, errno);
    const auto response = read_to_end(fd.get(), limit);
    if (!response) return no_answer(where, response.error());
    return verdict_of(*response);
}

std::expected<Verdict, NoAnswer> ask_patiently(const config::AdminPlace& place, std::string_view path)
{
    auto answer = ask_once(place, path);
    for (int more = kAttempts - 1; more > 0 && !answer && answer.error().hung_up; --more)
        answer = ask_once(place, path);
    return answer;
}

/// What runs may have been started with a configuration that has been edited since. `why` it is not found by that.
std::expected<Verdict, std::string> ask_the_only_one(config::AdminPlace place, std::string_view path,
                                                     const std::string& why)
{
    std::ifstream table{"/proc/net/unix"};
    std::vector<std::string> found;
    for (const SocketAddress& address : endpoints_in(table)) {
        place.address = address;
        if (is_ours(place)) found.push_back(address.text());
    }
    if (found.empty()) return std::unexpected{why};
    if (found.size() > 1)
        return std::unexpected{why + "; others run here, at " + joined(found) +
                               ": name one by --admin, or give its configuration by --config"};
    place.address = SocketAddress::parse(found.front()).value();
    auto answer = ask_patiently(place, path);
    if (!answer) return std::unexpected{std::move(answer.error().line)};
    answer->line += " (says the only one that runs here, " + found.front() + "; it has another configuration)";
    return std::move(*answer);
}

/// Nothing can be known of the configuration: what it would be without one.
config::AdminPlace unknown_place()
{
    const config::Config usual;
    return {.address = std::nullopt, .timeout = usual.admin.timeout, .uid = usual.user.uid};
}

} // namespace

std::vector<SocketAddress> endpoints_in(std::istream& table)
{
    std::vector<SocketAddress> endpoints;
    for (std::string row; endpoints.size() < kEndpointsMax && std::getline(table, row);) {
        if (row.find(kOwnName) == std::string::npos) continue;
        const auto listening = parse_listening_unix(row);
        const auto address = listening ? SocketAddress::parse(*listening) : std::nullopt;
        if (address && config::is_automatic(*address)) endpoints.push_back(*address);
    }
    return endpoints;
}

Verdict verdict_of(std::string_view response)
{
    const bool is_http = response.starts_with("HTTP/1.1 ");
    const std::size_t end = response.find("\r\n\r\n");
    if (!is_http || end == std::string_view::npos) return {.is_good = false, .line = "unhealthy: no valid answer"};
    std::string line{response.substr(end + 4)};
    while (line.ends_with('\n'))
        line.pop_back();
    for (std::size_t at = line.find('\n'); at != std::string::npos; at = line.find('\n', at))
        line.replace(at, 1, "; ");
    return {.is_good = response.substr(9).starts_with("200 "), .line = std::move(line)};
}

std::expected<Verdict, std::string> ask(const config::AdminPlace& place, std::string_view path)
{
    auto answer = ask_patiently(place, path);
    if (answer) return std::move(*answer);
    if (answer.error().is_nobody && place.may_be_outdated) return ask_the_only_one(place, path, answer.error().line);
    return std::unexpected{std::move(answer.error().line)};
}

ExitCode health(const config::Sources& sources, bool asks_readiness)
{
    const auto say = [](const std::string& line) { std::fputs((line + "\n").c_str(), stdout); };
    const auto place = config::find_admin(sources);
    if (place && !place->address) {
        say("unhealthy: admin.bind is none, so nobody can be asked");
        return ExitCode::failure;
    }
    const std::string_view path = asks_readiness ? "/readyz" : "/healthz";
    const auto verdict = place ? ask(*place, path)
                               : ask_the_only_one(unknown_place(), path, "unhealthy: " + place.error().front().print());
    if (!verdict) {
        say(verdict.error());
        return ExitCode::failure;
    }
    say((asks_readiness && !verdict->is_good ? "not ready: " : "") + verdict->line);
    return verdict->is_good ? ExitCode::ok : ExitCode::failure;
}

} // namespace sallyport::gatekeeper
