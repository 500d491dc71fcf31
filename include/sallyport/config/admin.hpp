// The admin endpoint, as the configuration has it.
#pragma once

#include <chrono>
#include <cstdint>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::config {

/// Where health, readiness and metrics are asked for.
struct AdminBind {
    enum class Kind : std::uint8_t {
        automatic, ///< an abstract Unix socket whose name follows from the listeners
        none,
        given
    } kind{Kind::automatic};
    SocketAddress address{}; ///< `given`: a Unix socket, or of loopback

    bool operator==(const AdminBind&) const = default;
};

struct Admin {
    AdminBind bind;
    std::chrono::milliseconds timeout{5'000}; ///< from accepting a client to the end of its answer
    std::uint32_t max_connections{16};

    bool operator==(const Admin&) const = default;
};

} // namespace sallyport::config
