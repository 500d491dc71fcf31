// What must hold between the parts of a configuration, beyond what each value must be.
#pragma once

#include "mistakes.hpp"
#include "node.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::config {

struct Given {
    bool anything{false};           ///< a file, a text, a flag or a variable
    bool pem_in_environment{false}; ///< as in Sources
};

/// Completes each listener's `forward` where it is left out, and reports what contradicts. The tree is the one that
/// `config` was read from: it knows the places.
void check(const Node& root, Given given, Config& config, Mistakes& mistakes);

} // namespace sallyport::config
