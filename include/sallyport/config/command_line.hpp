// What the words after `sallyport` mean.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sallyport/config/load.hpp"

namespace sallyport::config {

enum class Command : std::uint8_t { run, check, audit, health, dev, help, version };

/// What `dev` is asked for.
struct DevOrder {
    std::vector<std::string> to{};    ///< --to, as often as it is given: "7766", "api.localhost=7000"
    std::vector<std::string> names{}; ///< --name, likewise
    bool trust{false};
    bool untrust{false};
};

struct CommandLine {
    Command command{Command::run}; ///< `help` and `version` win over what stands beside them
    Overrides overrides;
    std::optional<std::string> path;         ///< --config
    bool print{false};                       ///< check --print
    bool schema{false};                      ///< check --schema
    bool json{false};                        ///< audit --json
    std::optional<std::uint32_t> pid{};      ///< audit --pid
    std::optional<std::string> verify_log{}; ///< audit --verify-log: a path, or "-" for standard input
    bool ready{false};                       ///< health --ready
    DevOrder dev{};                          ///< dev; of its flags `overrides` has all but --to
    std::vector<std::string> app{};          ///< run -- command…: the words after `--`
};

/// The arguments without the name of the program. The error is one or two lines for the operator, who made a mistake of
/// usage (exit code 64); it repeats no PEM text. Values are judged by `load`, not here.
[[nodiscard]] std::expected<CommandLine, std::string> parse_command_line(std::span<const char* const> arguments);

/// What `--help` prints: commands and flags, with the help and the defaults of the keys that they set.
[[nodiscard]] std::string help();

} // namespace sallyport::config
