#include "listening_sockets.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

#include <ifaddrs.h>
#include <netinet/in.h>

#include "sallyport/sys/file_text.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr std::string_view kListenState = "0A";
constexpr std::size_t kWordDigits = 8;

/// The kernel prints an address as the numbers that its words are in memory: "0100007F" is 127.0.0.1 on x86.
template <typename Address>
bool read_words(std::string_view text, Address& into)
{
    if (text.size() != sizeof into / sizeof(std::uint32_t) * kWordDigits) return false;
    std::array<std::uint32_t, sizeof into / sizeof(std::uint32_t)> words{};
    for (std::uint32_t& word : words) {
        const auto value = sys::parse_number<std::uint32_t>(text.substr(0, kWordDigits), 16);
        if (!value) return false;
        word = *value;
        text.remove_prefix(kWordDigits);
    }
    std::memcpy(&into, words.data(), sizeof into);
    return true;
}

/// "0100007F:1E56", or with 32 digits before the colon.
std::optional<SocketAddress> parse_address(std::string_view text)
{
    const std::size_t colon = std::min(text.find(':'), text.size());
    const auto port = sys::parse_number<std::uint16_t>(text.substr(std::min(colon + 1, text.size())), 16);
    if (!port) return std::nullopt;
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(*port);
    if (read_words(text.substr(0, colon), v4.sin_addr))
        return SocketAddress::from(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(*port);
    if (!read_words(text.substr(0, colon), v6.sin6_addr)) return std::nullopt;
    const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    return address ? SocketAddress::parse(address->text()) : std::nullopt; // an IPv4-mapped one becomes IPv4
}

bool read_table(const char* path, std::vector<ListeningSocket>& sockets)
{
    std::ifstream table{path};
    std::string row;
    if (!std::getline(table, row)) return false; // the heading
    while (std::getline(table, row)) {
        const auto socket = parse_listening(row);
        if (!socket) break;
        sockets.push_back(*socket);
    }
    return true;
}

/// Without those that cannot be had: an app there is then not known to be ours.
std::vector<SocketAddress> own_addresses()
{
    std::vector<SocketAddress> addresses;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return addresses;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned{list, ::freeifaddrs};
    for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        const bool is_v4 = one->ifa_addr->sa_family == AF_INET;
        const std::size_t size = is_v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        if (!is_v4 && one->ifa_addr->sa_family != AF_INET6) continue;
        if (const auto address = SocketAddress::from(one->ifa_addr, static_cast<socklen_t>(size)))
            addresses.push_back(*address);
    }
    return addresses;
}

} // namespace

std::optional<ListeningSocket> parse_listening(const std::string& row)
{
    std::istringstream words{row};
    std::array<std::string, 10> column;
    for (std::string& word : column)
        words >> word;
    const auto& [slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode] = column;
    if (state != kListenState) return std::nullopt;
    const auto address = parse_address(local);
    const auto owner = sys::parse_number<std::uint32_t>(uid);
    const auto identity = sys::parse_number<std::uint64_t>(inode);
    if (!address || !owner || !identity) return std::nullopt;
    return ListeningSocket{.address = *address, .inode = *identity, .uid = *owner};
}

std::optional<Neighbourhood> look_around()
{
    auto listening = listening_sockets();
    if (!listening) return std::nullopt;
    return Neighbourhood{std::move(*listening), own_addresses()};
}

std::optional<std::vector<ListeningSocket>> listening_sockets()
{
    std::vector<ListeningSocket> sockets;
    const bool v4 = read_table("/proc/net/tcp", sockets);
    const bool v6 = read_table("/proc/net/tcp6", sockets);
    return v4 || v6 ? std::optional{std::move(sockets)} : std::nullopt;
}

} // namespace sallyport::gatekeeper
