// From a file, the environment and flags to one Config, or to every mistake at once.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sallyport/config/config.hpp"

namespace sallyport::config {

/// One mistake: what, where and how to mend it.
struct Diagnostic {
    std::string source; ///< a file's path, "SALLYPORT_CONFIG", "--listen", "SALLYPORT_TO"
    int line{0};        ///< 1-based; 0: the source has no lines
    int column{0};
    std::string text; ///< "unknown key 'lisen': did you mean 'listen'?"

    /// "sallyport.yaml:3:5: unknown key …"
    [[nodiscard]] std::string print() const;
};

/// Reads one variable of the environment; nothing if it is unset.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// What the command line said, before it is merged: flag name without dashes → value.
struct Overrides {
    std::vector<std::pair<std::string, std::string>> flags; ///< a repeated flag is a mistake
};

struct Sources {
    std::optional<std::string> path; ///< --config or SALLYPORT_CONFIG_FILE; else SALLYPORT_CONFIG, else
                                     ///< `default_path` if it is there
    Overrides overrides;
    Environment environment;
    std::vector<std::string> environment_names; ///< of all variables: an unknown SALLYPORT_… is a mistake
    bool pem_in_environment{false}; ///< the gatekeeper found PEM in SALLYPORT_CERT and SALLYPORT_KEY and took it out
    std::string default_path{"/etc/sallyport/sallyport.yaml"};
};

/// Sets both parts of `sources` that are about the environment, from a block such as `environ`, which is borrowed:
/// it must outlive `sources`.
void read_environment(const char* const* block, Sources& sources);

/// Whether there is a configuration, good or bad: a file, a text, a flag or a variable.
[[nodiscard]] bool is_given(const Sources& sources);

/// Flags override the environment, which overrides the file. `${VAR}` and `${VAR:-default}` are expanded in scalar
/// values.
[[nodiscard]] std::expected<Config, std::vector<Diagnostic>> load(const Sources& sources);

/// What somebody who only asks a running Sallyport needs of its configuration.
struct AdminPlace {
    std::optional<SocketAddress> address; ///< nothing: it has no admin endpoint
    Millis timeout{};
    std::uint32_t uid{};         ///< whom it becomes when started as root
    bool may_be_outdated{false}; ///< its name is made of the listeners in a text that may have been edited since
};

/// Judges nothing else of the configuration: neither a mistake in it, nor a file that an edit has broken for the next
/// start, makes a running Sallyport ill. Where `--admin` or SALLYPORT_ADMIN is given no file is read at all. Without a
/// configuration it is that of the listener :443. Errors: nothing can be known.
[[nodiscard]] std::expected<AdminPlace, std::vector<Diagnostic>> find_admin(const Sources& sources);

/// The effective configuration as YAML that `load` reads back to the same Config. Holds no secret.
[[nodiscard]] std::string print(const Config& config);

/// The JSON Schema (draft 2020-12) of the file, generated from the rows that `load` checks.
[[nodiscard]] std::string json_schema();

} // namespace sallyport::config
