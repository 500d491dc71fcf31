// Certificates, keys and passphrases that came by environment or by descriptor, moved into sealed memory files.
#pragma once

#include <string>

#include "briefing.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::gatekeeper {

/// Takes PEM texts out of SALLYPORT_CERT and SALLYPORT_KEY, and makes the file of the ticket secret. Without PEM in
/// SALLYPORT_KEY the certificate's text is to hold both.
/// Errors: StartError: `configuration` for a key without a certificate. Thread: before a second one exists.
[[nodiscard]] Secrets take_pem_pair();
[[nodiscard]] bool has_pem_pair(const Secrets& secrets);

/// Takes what the configuration names besides: every `env:NAME` out of the environment, every `fd:N` read to its end
/// and closed. Errors: StartError: `configuration` for one that is not there, is empty or too large.
/// Thread: one that nobody reads the environment beside.
void take_secrets(const config::Config& config, Secrets& secrets);

/// Takes the variables out of the environment as `take_secrets` would, for a command that needs no secret.
void forget_variables(const config::Config& config);

/// Where a pair's key is, also if the configuration leaves that out.
[[nodiscard]] std::string key_place(const config::Certificate& pair);

} // namespace sallyport::gatekeeper
