// The listening sockets that systemd passed to this process, by name (sd_listen_fds_with_names(3)).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sallyport::gatekeeper {

struct PassedSocket {
    std::string name; ///< FileDescriptorName=, by default the socket unit's name
    int number{};

    bool operator==(const PassedSocket&) const = default;
};

using ReadVariable = std::function<std::optional<std::string>(std::string_view name)>;

/// From LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Empty if they are not there or are meant for another process.
[[nodiscard]] std::vector<PassedSocket> passed_sockets(pid_t self, const ReadVariable& variable);

/// The numbers passed under this name, in order.
[[nodiscard]] std::vector<int> numbers_named(const std::vector<PassedSocket>& sockets, std::string_view name);

} // namespace sallyport::gatekeeper
