// Why a source cannot be used: one line for the operator, and the exit code it means.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "sallyport/base/start_error.hpp"

namespace sallyport::keyholder {

/// The text names the file and how to mend it; it never holds a byte of a secret.
struct Problem {
    ExitCode code{ExitCode::configuration};
    std::string text;
    std::optional<std::size_t> source{}; ///< its index, where one source alone is meant
};

using Problems = std::vector<Problem>;

template <typename T>
using Checked = std::expected<T, Problem>;

/// A value, or its problem noted.
template <typename T>
[[nodiscard]] std::optional<T> note(Checked<T> checked, Problems& problems)
{
    if (checked) return *std::move(checked);
    problems.push_back(std::move(checked.error()));
    return std::nullopt;
}

[[nodiscard]] inline std::unexpected<Problem> wrong(std::string text)
{
    return std::unexpected{Problem{ExitCode::configuration, std::move(text)}};
}

} // namespace sallyport::keyholder
