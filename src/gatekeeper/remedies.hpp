// The exact lines of each runtime's configuration that let Sallyport bind a low port.
#pragma once

#include <cstdint>
#include <string>

#include "sallyport/sys/bind_facts.hpp"

namespace sallyport::gatekeeper {

/// What the lines name.
struct Need {
    std::uint16_t port{};        ///< the one that was refused
    std::uint16_t lowest_port{}; ///< of all listeners: one value of the sysctl serves them all
    std::string executable;
};

[[nodiscard]] std::string remedies(sys::Runtime runtime, const Need& need);

} // namespace sallyport::gatekeeper
