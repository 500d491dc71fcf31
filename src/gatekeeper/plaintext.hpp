// Listeners that others than this machine reach without TLS.
#pragma once

#include <vector>

#include "binder.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

/// A warning for each that forwards requests, unless it only redirects what no route takes.
void warn_of_plaintext(const std::vector<ipc::Listener>& listeners, const std::vector<BoundListener>& bound);

} // namespace sallyport::gatekeeper
