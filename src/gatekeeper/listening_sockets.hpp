// Who listens in this network namespace: the first rows of /proc/net/tcp and tcp6 (proc_net_tcp(5)); and where.
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

/// This network namespace, as far as it matters who is reachable in it.
struct Neighbourhood {
    std::vector<ListeningSocket> listening;
    std::vector<SocketAddress> addresses; ///< of its interfaces; their ports are 0
};

/// Now; nothing if /proc does not show who listens.
[[nodiscard]] std::optional<Neighbourhood> look_around();

/// All of them; nothing if /proc does not show them. Cheap, however many connections there are: the kernel lists who
/// listens first, and no more than that is read.
[[nodiscard]] std::optional<std::vector<ListeningSocket>> listening_sockets();

} // namespace sallyport::gatekeeper
