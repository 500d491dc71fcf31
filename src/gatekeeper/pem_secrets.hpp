// The certificate and key that came by environment, moved out of it.
#pragma once

#include "briefing.hpp"

namespace sallyport::gatekeeper {

/// Takes PEM texts out of SALLYPORT_CERT and SALLYPORT_KEY into sealed memory files, and makes the file of the ticket
/// secret. Without PEM in SALLYPORT_KEY, both descriptors are of the one text, which then holds both.
/// Errors: StartError: `configuration` for a key without a certificate. Thread: before a second one exists.
[[nodiscard]] Secrets take_secrets();

} // namespace sallyport::gatekeeper
