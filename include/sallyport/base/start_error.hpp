// How a process refuses to start: one sentence for the operator, and an exit code of sysexits(3).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace sallyport {

/// The exit codes of all three executables; the names and numbers of sysexits(3), and a shell's two for the command of
/// `run -- command…`. When that has ended, its own exit code is ours.
enum class ExitCode : std::uint8_t {
    ok = 0,
    failure = 1, ///< `check --…`, `audit` and `health`: the answer is no
    usage = 64,
    unavailable = 69,
    software = 70,
    os_error = 71,
    permission = 77,
    configuration = 78,
    command_not_executable = 126,
    command_not_found = 127
};

/// Thrown while starting only, when nothing is served yet; caught once, in `main`, which prints `what()` and exits with
/// `code()`. The text says what, where and how to mend it. It never holds a secret.
class StartError : public std::runtime_error {
public:
    StartError(ExitCode code, const std::string& text) : std::runtime_error{text}, code_{code} {}
    [[nodiscard]] ExitCode code() const { return code_; }

private:
    ExitCode code_;
};

} // namespace sallyport
