// The process that holds the private keys. It is started by the gatekeeper, never by hand.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "sallyport/base/start_error.hpp"
#include "sallyport/keyholder/keyholder.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/privsep/confine.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/spawn.hpp"

namespace {

using namespace sallyport;

constexpr std::array kDescriptors{0, 1, 2, sys::kControlFd};

/// It ends when its control channel does: what reaches the whole process group would cut what is to drain, and a reader
/// of the log that goes away takes no keys with it.
constexpr std::array kIgnoredSignals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};

log::Options log_options(const ipc::LogSettings& settings, const UniqueFd& audit)
{
    return {.level = static_cast<log::Level>(settings.level),
            .format = static_cast<log::Format>(settings.format),
            .process = std::string{privsep::profile(privsep::Process::keyholder).name},
            .queue_lines = std::min(settings.queue_lines, log::kFewLines),
            .chain = settings.chain,
            .audit_place = static_cast<log::AuditPlace>(settings.audit),
            .audit_fd = audit.get()};
}

void hold_keys()
{
    keyholder::wipe_freed_memory();
    if (!sys::ensure_standard_descriptors() || !sys::close_all_but(kDescriptors) ||
        !sys::ignore_signals(kIgnoredSignals))
        throw StartError{ExitCode::os_error, "its descriptors or signals cannot be set"};
    sys::Channel control{UniqueFd{sys::kControlFd}};
    const auto greeting = keyholder::take_hello(control);
    if (!greeting) return;
    const ipc::Hello& hello = greeting->hello;
    keyholder::serve(std::move(control), hello, [&](const std::vector<std::string>& directories) {
        privsep::confine(privsep::profile(privsep::Process::keyholder), hello.sandbox, {.readable = directories});
        log::start(log_options(hello.log, greeting->audit));
    });
    log::stop();
}

} // namespace

int main()
try {
    hold_keys();
    return 0;
} catch (const StartError& error) {
    std::fprintf(stderr, "sallyport-keyholder: %s\n", error.what());
    return static_cast<int>(error.code());
} catch (const std::exception& error) {
    std::fprintf(stderr, "sallyport-keyholder: %s\n", error.what());
    return static_cast<int>(ExitCode::software);
}
