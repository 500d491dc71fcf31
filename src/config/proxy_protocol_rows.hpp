// The keys of the PROXY protocol.
#pragma once

#include "row.hpp"

namespace sallyport::config {

[[nodiscard]] Row<Listener> proxy_protocol_row();
[[nodiscard]] Row<Upstream> send_proxy_protocol_row();

} // namespace sallyport::config
