// Before a worker is born to its listening sockets: they listen.
#pragma once

#include <vector>

#include "binder.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// Has those listen that are new and were bound alone, and those that a worker before has stopped, which is an audit
/// line. Returns all that listen; what cannot is logged.
[[nodiscard]] std::vector<int> mend_listeners(std::vector<BoundListener>& listeners, const Settings& settings);

} // namespace sallyport::gatekeeper
