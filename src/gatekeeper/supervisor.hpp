// The gatekeeper's life after its start: one poll(2) loop over signals, children and deadlines.
#pragma once

#include "app.hpp"
#include "bypass.hpp"
#include "family.hpp"
#include "sallyport/base/start_error.hpp"
#include "service_manager.hpp"
#include "signals.hpp"

namespace sallyport::gatekeeper {

/// Where a new configuration comes from.
class NextConfiguration {
public:
    virtual ~NextConfiguration() = default;
    /// Nothing: it is the one in force. Throws StartError if it cannot come into force; then nothing has changed.
    [[nodiscard]] virtual std::optional<GenerationPlan> read_anew(Family& family) = 0;
    /// What was read last is in force now, or will never be.
    virtual void settle(const Family& family, bool in_force) = 0;
    /// Nothing will be read any more, and clients are to be refused.
    virtual void let_go() = 0;
};

/// What there is beside the family, if there is such a thing. Borrowed.
struct Beside {
    BypassWatch* watch{nullptr};
    App* app{nullptr};
    NextConfiguration* next{nullptr};
    ServiceManager* manager{nullptr};
};

/// Starts the family and keeps it alive until a signal ends it:
///   SIGTERM, SIGINT   drain when the plan says so (drain_plan.hpp), then have the app end, then its exit code, or `ok`
///                     without an app; `software` if the worker died or had to be killed instead. A second one,
///   SIGQUIT           stop at once, with `failure`: who was served was cut off. The caller destroys the family next.
///   SIGHUP            read the configuration again, and replace the generation by one of the new configuration;
///   without
///                     a change, read the certificates again. One that comes meanwhile is answered afterwards.
///   SIGUSR1, SIGUSR2, SIGWINCH   pass on to the app.
///   SIGCHLD           reap whoever died: as PID 1, or as the parent of orphans, strangers too.
/// With an app the first worker is born when the app listens. An app that has ended for good ends us as SIGTERM does.
/// When `watch` forbids to serve: as SIGTERM, then `configuration`; before the first worker is Ready, StartError.
/// Errors: StartError until the first worker is Ready.
[[nodiscard]] ExitCode supervise(Family& family, Signals& signals, const Beside& beside = {});

} // namespace sallyport::gatekeeper
