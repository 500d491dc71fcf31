// `sallyport dev`: HTTPS on this machine, with certificates that its browsers trust.
#pragma once

#include <functional>
#include <string>

#include "briefing.hpp"
#include "dev_plan.hpp"
#include "sallyport/base/start_error.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// What `dev` needs of who starts it.
struct DevHelp {
    LoadWith load;
    /// Serves as `run` does, with settings that were changed before.
    std::function<ExitCode(const config::Config&, Secrets, const std::function<void(Settings&)>&)> serve;
    std::string executables; ///< their directory
    bool has_listen{false};  ///< --listen was given
};

/// Errors: StartError.
[[nodiscard]] ExitCode dev(const config::DevOrder& order, Secrets secrets, const DevHelp& help);

} // namespace sallyport::gatekeeper
