// The gatekeeper's life after its start: one poll(2) loop over signals, children and deadlines.
#pragma once

#include "bypass.hpp"
#include "family.hpp"
#include "sallyport/base/start_error.hpp"
#include "signals.hpp"

namespace sallyport::gatekeeper {

/// Starts the family and keeps it alive until a signal ends it:
///   SIGTERM, SIGINT   drain, then `ok`; `software` if the worker died or had to be killed instead. A second one,
///   SIGQUIT           stop at once, with `failure`: who was served was cut off. The caller destroys the family next.
///   SIGHUP            read the certificates again.
///   SIGCHLD           reap whoever died: as PID 1, strangers too.
/// When `watch` forbids to serve: as SIGTERM, then `configuration`; before the first worker is Ready, StartError.
/// Errors: StartError until the first worker is Ready.
[[nodiscard]] ExitCode supervise(Family& family, Signals& signals, BypassWatch* watch = nullptr);

} // namespace sallyport::gatekeeper
