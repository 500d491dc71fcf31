// Which sockets each listener needs, and by which of design §2's paths each one gets its address.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sallyport/config/config.hpp"

namespace sallyport::gatekeeper {

/// `plain` needs no privilege, `capability` raises CAP_NET_BIND_SERVICE around bind(2), `inherited` is bound already.
enum class Path : std::uint8_t { plain, capability, inherited };
[[nodiscard]] std::string_view name(Path path);

/// What this process may do about low ports.
struct Rights {
    bool net_bind_service{};               ///< CAP_NET_BIND_SERVICE is permitted
    std::uint16_t unprivileged_from{1024}; ///< net.ipv4.ip_unprivileged_port_start
};

/// The sockets of one listener.
struct PlannedListener {
    config::Bind bind;
    Path path{Path::plain};
    bool shared{};     ///< one socket for all shards; else one for each, with SO_REUSEPORT
    unsigned count{1}; ///< of sockets to make; an inherited name may stand for more
};

/// In the order of the listeners. A low port without the right to it is planned as `plain`: the kernel has the last
/// word, and its refusal is what the diagnosis explains.
[[nodiscard]] std::vector<PlannedListener> plan_binds(const std::vector<config::Listener>& listeners, unsigned shards,
                                                      const Rights& rights);

/// Somebody else has made its socket: `fd:` and `systemd:`.
[[nodiscard]] bool is_inherited(const config::Bind& bind);

/// 0 for what is not a TCP port.
[[nodiscard]] std::uint16_t port_of(const config::Bind& bind);

/// The lowest TCP port that any of them binds here: what `ip_unprivileged_port_start` would have to be.
[[nodiscard]] std::uint16_t lowest_port(const std::vector<PlannedListener>& plan);

} // namespace sallyport::gatekeeper
