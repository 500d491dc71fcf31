// The line of each runtime's configuration that puts a guard in place.
#pragma once

#include <cstdint>
#include <string>

#include "sallyport/sys/bind_facts.hpp"

namespace sallyport::audit {

enum class Guard : std::uint8_t {
    bounding_set,
    seccomp,
    user,
    root_filesystem,
    volumes,
    shared_memory,
    tasks,
    memory,
    descriptors,
    environment,
    bypass
};

[[nodiscard]] std::string mend(Guard guard, sys::Runtime runtime);

} // namespace sallyport::audit
