// Where a machine keeps the authorities that it trusts, and how one of ours gets there and away: by the machine's own
// programs, each with fixed arguments and no environment.
#pragma once

#include <string>
#include <vector>

namespace sallyport::gatekeeper {

/// What was done or is left to do, a line each, for the developer.
struct TrustReport {
    std::vector<std::string> lines;
    bool complete{true}; ///< nothing failed, and nothing is left to do
};

/// Into the system's store, which needs root, and the NSS databases of this home: ~/.pki/nssdb (Chromium), which is
/// made, and those of Firefox's profiles. `certificate` is a PEM file.
[[nodiscard]] TrustReport install_trust(const std::string& certificate, const std::string& home);

/// Out of all of them. What is not there is no failure.
[[nodiscard]] TrustReport remove_trust(const std::string& home);

} // namespace sallyport::gatekeeper
