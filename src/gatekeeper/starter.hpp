// The starter of the app (`run -- command…`): a process that the gatekeeper forks before it confines itself.
//
// A filter binds whatever is started later, and a raised limit too. So what starts the app, also for the tenth time, is
// made while nothing is changed yet. It becomes the app's user, gives up every capability and the right to gain any,
// and from then on does what ipc/starter.hpp says: one program at a time, in a process group of its own. It alone may
// signal the app, which may be another user's than the gatekeeper is, and as the next subreaper it reaps its orphans.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "child.hpp"
#include "sallyport/sys/channel.hpp"

namespace sallyport::gatekeeper {

/// What it calls itself, as /proc shows it: it has the gatekeeper's executable.
inline constexpr const char* kStarterName = "sallyport-starter";

/// What to start, as whom, and how it is told to end.
struct AppOrder {
    std::vector<std::string> command; ///< at least one word
    std::uint32_t uid{};              ///< another than ours only if we are root
    std::uint32_t gid{};
    int stop_signal{};
    Millis stop_timeout{};
};

/// Owns: the process, which ends the app and itself when this is destroyed. That is waited for, as long as the app's
/// stop_timeout and a little more. Thread: one.
class Starter {
public:
    /// Forks it, and waits until it has given up its privileges. Errors: StartError. Thread: before a second one
    /// exists, and before limits are changed, but after every secret has left the environment.
    explicit Starter(const AppOrder& order);
    Starter(Starter&& other) noexcept;
    Starter& operator=(Starter&&) = delete;
    ~Starter();

    /// Nothing if it has gone, which `channel` tells.
    template <typename Message>
    void tell(const Message& message)
    {
        static_cast<void>(control_.send(ipc::encode(message)));
    }
    [[nodiscard]] sys::Channel& channel() { return control_; }
    /// It is to end the app and itself, which is waited for. `hear` takes what it says meanwhile, message by message,
    /// and gives up the channel at its end.
    void dismiss(const std::function<void()>& hear);
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// It has died and was reaped.
    void bury() { pid_ = -1; }

private:
    pid_t pid_{-1};
    sys::Channel control_;
    Millis patience_;
};

/// Whether the app is to have this variable: none of ours (SALLYPORT_…), and none by which systemd tells us of
/// sockets (sd_listen_fds(3), sd_notify(3)).
[[nodiscard]] bool is_for_app(std::string_view variable);

} // namespace sallyport::gatekeeper
