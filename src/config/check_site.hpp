// What must hold between the parts of a listener: where requests go, and what is of mode http only.
#pragma once

#include "mistakes.hpp"
#include "node.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

/// Completes `forward` and, in mode http, `tls.alpn` where they are left out. `node` is the listener's.
void check_site(const Node& node, const Config& config, Listener& listener, Mistakes& mistakes);

} // namespace sallyport::config
