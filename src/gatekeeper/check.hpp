// `sallyport check`: would it start?
#pragma once

#include <string>

#include "briefing.hpp"
#include "sallyport/ipc/control.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// Starts a keyholder from `directory`, has it load every pair, and ends it again. Its log is
/// discarded. Errors: StartError with what the keyholder found wrong.
[[nodiscard]] ipc::Loaded rehearse_certificates(const std::string& directory, const Settings& settings,
                                                const Secrets& secrets);

/// One line per pair: where it is from, its type, names and end.
[[nodiscard]] std::string describe(const ipc::Loaded& loaded);

} // namespace sallyport::gatekeeper
