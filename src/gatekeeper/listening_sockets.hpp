// Who listens in this network namespace: the first rows of /proc/net/tcp and tcp6 (proc_net_tcp(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::gatekeeper {

struct ListeningSocket {
    SocketAddress address;
    std::uint64_t inode{};
    std::uint32_t uid{};

    friend bool operator==(const ListeningSocket&, const ListeningSocket&) = default;
};

/// One row of such a table; nothing if it is the heading, not of a listening socket, or not understood.
[[nodiscard]] std::optional<ListeningSocket> parse_listening(const std::string& row);

/// All of them; nothing if /proc does not show them. Cheap, however many connections there are: the kernel lists who
/// listens first, and no more than that is read.
[[nodiscard]] std::optional<std::vector<ListeningSocket>> listening_sockets();

} // namespace sallyport::gatekeeper
