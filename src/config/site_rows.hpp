// The keys of a listener of mode http: routes, redirect, forwarding, header rules.
#pragma once

#include "row.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

[[nodiscard]] Rows<Listener> site_rows();

} // namespace sallyport::config
