// A keyholder that is started for one thing, and goes again: what needs cryptography on the command line.
#pragma once

#include <string>

#include "child.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

/// Owns: the process, which ends with this. Its log is discarded. Errors of all: StartError.
class Errand {
public:
    /// `directory` holds the executables.
    explicit Errand(const std::string& directory);

    [[nodiscard]] Child& keyholder() { return keyholder_; }

    /// Waits for its answer. Errors besides: what it found wrong, with the exit code that this means.
    template <typename Answer>
    [[nodiscard]] Answer answer()
    {
        auto answer = ipc::decode<Answer>(word());
        if (!answer) throw StartError{ExitCode::software, "the keyholder said what no keyholder says"};
        return std::move(*answer);
    }

private:
    [[nodiscard]] ipc::Bytes word();

    Child keyholder_;
};

} // namespace sallyport::gatekeeper
