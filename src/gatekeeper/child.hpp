// One child process as its parent sees it: started, told, heard, and missed when it dies.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/privsep/profiles.hpp"
#include "sallyport/sys/channel.hpp"

namespace sallyport::gatekeeper {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Millis = std::chrono::milliseconds;

/// "exit code 3", "signal 9 (KILL)": how a process died, from its wait status (waitpid(2)).
[[nodiscard]] std::string how_it_died(int status);

/// The exit code that a Failed asks for; `software` if it names none.
[[nodiscard]] ExitCode exit_code_of(const ipc::Failed& failure);

/// One process at a time; a new one may be born after the last has been buried.
/// Owns: the process; one that still lives is killed and reaped when this is destroyed. Thread: one.
class Child {
public:
    /// `name` is static text.
    Child(std::string_view name, std::string executable);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    /// Errors: the failed system call's, execve's included.
    [[nodiscard]] Result<void> give_birth(TimePoint now);

    /// A child that does not read for 5 seconds is killed. That it has gone is no error here: its death is news of its
    /// own, and what it said before may still wait to be heard.
    template <typename Message>
    void tell(const Message& message, std::span<const int> descriptors = {})
    {
        tell_bytes(ipc::encode(message), descriptors);
    }

    /// Its next message if there is one now; nothing otherwise. After its last one the channel is closed. A message
    /// that is too large, or brings descriptors, comes out empty: none of any kind.
    [[nodiscard]] std::optional<ipc::Bytes> heard();

    /// Closes the channel, which tells it to go.
    void dismiss() { control_ = {}; }
    void kill();
    /// Kills and reaps it, if it lives.
    void end();
    /// It has died and was reaped. What it said before can still be heard.
    void bury() { alive_ = false; }

    [[nodiscard]] bool alive() const { return alive_; }
    /// Of the last one, if it is dead.
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string_view name() const { return name_; }
    [[nodiscard]] const std::string& executable() const { return executable_; }
    /// -1 once the channel is closed.
    [[nodiscard]] int channel() const { return control_.fd(); }
    [[nodiscard]] TimePoint born() const { return born_; }
    /// Of its audit lines; another one after each birth.
    [[nodiscard]] const std::string& chain() const { return chain_; }

private:
    void tell_bytes(const ipc::Bytes& message, std::span<const int> descriptors);

    std::string_view name_;
    std::string executable_;
    pid_t pid_{-1};
    bool alive_{false};
    sys::Channel control_;
    TimePoint born_{};
    std::string chain_;
    ipc::Bytes buffer_;
};

/// The keyholder or the worker, whose executable lies in this directory.
[[nodiscard]] Child child_in(const std::string& directory, privsep::Process process);

/// Why it could not be started, for the operator.
[[nodiscard]] std::string birth_refused(const Child& child, const Error& error);

} // namespace sallyport::gatekeeper
