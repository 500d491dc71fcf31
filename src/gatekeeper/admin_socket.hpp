// The admin endpoint's listening socket: bound here, served by the newest worker.
#pragma once

#include <optional>

#include "binder.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/config/config.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

struct AdminSocket {
    UniqueFd socket; ///< none: there is no endpoint
    std::optional<SocketFile> file;

    /// What the worker is told of it, and what goes along: borrowed. `uid`: who may ask beside root.
    void tell(Settings& settings, const config::Config& config, std::uint32_t uid) const;
};

/// A name that `auto` has made and somebody else holds is a warning: clients are served all the same, and
/// `sallyport health` says no; each reload tries again. Errors: StartError (unavailable, permission) for a place that
/// was asked for by name.
[[nodiscard]] AdminSocket bind_admin(const config::Config& config);

} // namespace sallyport::gatekeeper
