// What a listener of mode http does with requests, as its messages say it.
#pragma once

#include <cstdint>
#include <vector>

#include "sallyport/config/config.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

[[nodiscard]] ipc::SiteSettings site_of(const config::Listener& listener);

/// The networks, and whether Unix sockets are among them.
void add_trusted(const std::vector<config::TrustedProxy>& from, std::vector<ipc::Network>& networks,
                 bool& unix_sockets);

/// `upstream`: the index of the one that it forwards to.
[[nodiscard]] ipc::Route route_of(const config::Route& route, std::uint32_t upstream);

} // namespace sallyport::gatekeeper
