#include "app_listens.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sallyport::gatekeeper {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kAcceptsConnections = "00010000"; // __SO_ACCEPTCON

/// The same text, or another path of the same file.
bool is_same_place(const SocketAddress& app, const std::string& listening)
{
    if (app.text() == listening) return true;
    const std::string path = listening.substr(kUnixPrefix.size());
    if (app.unix_path().empty() || path.starts_with('@')) return false;
    std::error_code error;
    return std::filesystem::equivalent(app.unix_path(), path, error);
}

std::optional<bool> unix_listens(const SocketAddress& app)
{
    std::ifstream table{"/proc/net/unix"};
    std::string row;
    if (!std::getline(table, row)) return std::nullopt; // the heading
    while (std::getline(table, row))
        if (const auto listening = parse_listening_unix(row); listening && is_same_place(app, *listening)) return true;
    return false;
}

} // namespace

bool takes_connections(const SocketAddress& app, const std::vector<ListeningSocket>& listening)
{
    return std::ranges::any_of(listening, [&](const ListeningSocket& socket) {
        const SocketAddress& address = socket.address;
        if (address == app) return true;
        // One on [::] takes IPv4 too, unless it was told not to: that, no table shows.
        const bool same_family = address.family() == app.family() || address.family() == AF_INET6;
        return address.port() == app.port() && address.is_any() && same_family;
    });
}

// "0000000000000000: 00000002 00000000 00010000 0001 01 20215 /run/app.sock", proc_pid_net(5).
std::optional<std::string> parse_listening_unix(const std::string& row)
{
    std::istringstream words{row};
    std::array<std::string, 7> column;
    for (std::string& word : column)
        words >> word;
    const auto& [slot, references, protocol, flags, type, state, inode] = column;
    std::string path;
    words >> std::ws;
    if (flags != kAcceptsConnections || !std::getline(words, path) || path.empty()) return std::nullopt;
    return std::string{kUnixPrefix} + path;
}

std::optional<bool> app_listens(const SocketAddress& app)
{
    if (app.is_unix()) return unix_listens(app);
    const auto listening = listening_sockets();
    return listening ? std::optional{takes_connections(app, *listening)} : std::nullopt;
}

} // namespace sallyport::gatekeeper
