// The gatekeeper's life after its start: one poll(2) loop over signals, children and deadlines.
#pragma once

#include "app.hpp"
#include "bypass.hpp"
#include "family.hpp"
#include "sallyport/base/start_error.hpp"
#include "signals.hpp"

namespace sallyport::gatekeeper {

/// What is watched beside the family, where there is such a thing. Borrowed.
struct Beside {
    BypassWatch* watch{nullptr};
    App* app{nullptr};
};

/// Starts the family and keeps it alive until a signal ends it:
///   SIGTERM, SIGINT   drain, then have the app end, then its exit code, or `ok` without an app; `software` if the
///                     worker died or had to be killed instead. A second one,
///   SIGQUIT           stop at once, with `failure`: who was served was cut off. The caller destroys the family next.
///   SIGHUP            read the certificates again.
///   SIGUSR1, SIGUSR2, SIGWINCH   pass on to the app.
///   SIGCHLD           reap whoever died: as PID 1, or as the parent of orphans, strangers too.
/// With an app the first worker is born when the app listens. An app that has ended for good ends us as SIGTERM does.
/// When `watch` forbids to serve: as SIGTERM, then `configuration`; before the first worker is Ready, StartError.
/// Errors: StartError until the first worker is Ready.
[[nodiscard]] ExitCode supervise(Family& family, Signals& signals, const Beside& beside = {});

} // namespace sallyport::gatekeeper
