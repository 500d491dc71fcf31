// THE table of flags: what may be said on the command line, and by variables, of the configuration.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// The flag `--name`, which is also the variable SALLYPORT_NAME. Its help and its default are those of the key.
struct Flag {
    std::string_view name;
    std::string_view value; ///< as `--help` shows it: "ADDRESS"
    std::string_view path;  ///< of the key that it sets: "log.level"
    bool is_value_optional{false};
};

[[nodiscard]] std::span<const Flag> flags();

/// "log-level" → "SALLYPORT_LOG_LEVEL"
[[nodiscard]] std::string variable_of(std::string_view flag);

/// The YAML text, or the path of a file of it. The command line has `--config` for the path.
inline constexpr std::string_view kConfigVariable = "SALLYPORT_CONFIG";
inline constexpr std::string_view kConfigFileVariable = "SALLYPORT_CONFIG_FILE";

/// Whether something else than an operator sets a variable of this name: Kubernetes gives every pod
/// SALLYPORT_SERVICE_HOST, SALLYPORT_PORT_443_TCP … for a Service named "sallyport".
[[nodiscard]] bool is_service_link(std::string_view variable);

} // namespace sallyport::config
