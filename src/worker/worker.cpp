#include "sallyport/worker/worker.hpp"

#include <array>
#include <csignal>
#include <utility>

#include <unistd.h>

#include "control.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/spawn.hpp"
#include "sallyport/tls/remote_key.hpp"
#include "settings.hpp"

namespace sallyport::worker {

namespace {

/// Of the audit stream, which stays open until the process has ended. Others write to it as well, so it has to stand
/// where the filter lets nobody shut it down: below sys::kFirstOwnFd.
int settle_audit_stream(UniqueFd audit)
{
    if (!audit) return -1;
    if (const auto moved = sys::move_to_standard_input(std::move(audit)); !moved)
        throw StartError{ExitCode::os_error, "the audit stream: " + moved.error().cause.message()};
    return STDIN_FILENO;
}

void start_log(const ipc::LogSettings& settings, int audit_fd)
{
    log::start({.level = static_cast<log::Level>(settings.level),
                .format = static_cast<log::Format>(settings.format),
                .process = "worker",
                .queue_lines = settings.queue_lines,
                .chain = settings.chain,
                .audit_place = static_cast<log::AuditPlace>(settings.audit),
                .audit_fd = audit_fd});
}

/// A terminal's Ctrl-C reaches the whole group; only the gatekeeper decides when the worker ends.
void leave_signals_to_the_gatekeeper()
{
    static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    if (const auto ignored = sys::ignore_signals(kSignals); !ignored)
        throw StartError{ExitCode::os_error, "ignoring signals: " + ignored.error().cause.message()};
}

ExitCode serve(sys::Channel& control)
{
    Greeting greeting = receive_hello(control);
    leave_signals_to_the_gatekeeper();
    Settings settings = receive_settings(control, std::move(greeting.hello));
    if (settings.names) settings.name_channels = upstream::open_name_channels(*settings.names, settings.hello.shards);
    const int audit_fd = settle_audit_stream(std::move(greeting.audit));
    const privsep::Profile& profile = privsep::profile(privsep::Process::worker);
    const privsep::Grants grants = privsep::grants_for(settings.upstreams, settings.names);
    const privsep::Confined confined = privsep::confine(profile, settings.hello.sandbox, grants);
    start_log(settings.hello.log, audit_fd);

    tls::load_providers();
    Control story{control, std::move(settings), confined};
    story.start();
    privsep::tighten(profile, confined.seccomp);
    return story.obey();
}

} // namespace

ExitCode run()
{
    sys::Channel control{UniqueFd{sys::kControlFd}};
    ExitCode code = ExitCode::software;
    try {
        code = serve(control);
    } catch (const StartError& error) {
        static_cast<void>(control.send(ipc::encode(ipc::Failed{std::to_underlying(error.code()), error.what()})));
        code = error.code();
    }
    log::stop();
    return code;
}

} // namespace sallyport::worker
