// Why a source cannot be used: one line for the operator, and the exit code it means.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "sallyport/base/start_error.hpp"

namespace sallyport::keyholder {

/// The text names the file and how to mend it; it never holds a byte of a secret.
struct Problem {
    ExitCode code{ExitCode::configuration};
    std::string text;
};

template <typename T>
using Checked = std::expected<T, Problem>;

[[nodiscard]] inline std::unexpected<Problem> wrong(std::string text)
{
    return std::unexpected{Problem{ExitCode::configuration, std::move(text)}};
}

} // namespace sallyport::keyholder
