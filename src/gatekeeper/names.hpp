// Names of upstreams: what this machine's files say of them, read here as the worker reads no file.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/config/config.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/sys/file_text.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// resolv.conf(5): nameserver, search, domain, and the options ndots and attempts. What it does not say is as the C
/// library has it, but for the time-outs, which are the configuration's, and the host's own domain, which is not
/// searched.
[[nodiscard]] ipc::NameService name_service_of(const config::Dns& dns, std::string_view resolv_conf);

/// hosts(5): every address of the name, with this port.
[[nodiscard]] std::vector<SocketAddress> addresses_in_hosts(std::string_view hosts, std::string_view name,
                                                            std::uint16_t port);

/// Names that /etc/hosts has become addresses; if others are left, the worker is told how to look them up.
void take_names(Settings& settings, const config::Dns& dns, const sys::ReadText& read);

} // namespace sallyport::gatekeeper
