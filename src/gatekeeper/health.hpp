// `sallyport health`: asks the admin endpoint of the Sallyport that runs with this configuration.
#pragma once

#include <expected>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/base/start_error.hpp"
#include "sallyport/config/load.hpp"

namespace sallyport::gatekeeper {

/// What the endpoint said.
struct Verdict {
    bool is_good{};
    std::string line; ///< why, without a line's end
};

/// The verdict of a response as it came, to its end. Pure.
[[nodiscard]] Verdict verdict_of(std::string_view response);

/// The admin endpoints that somebody listens at under a name of `auto`, in a text such as /proc/net/unix. Pure.
[[nodiscard]] std::vector<SocketAddress> endpoints_in(std::istream& table);

/// One question, within the endpoint's own time. No name is looked up, nothing is started. The error is one line:
/// nobody answers, or somebody who is neither us nor root. Where nobody answers at a name that may be outdated, the
/// kernel's table is read, and the only other Sallyport of ours is asked, if there is just one in sight.
[[nodiscard]] std::expected<Verdict, std::string> ask(const config::AdminPlace& place, std::string_view path);

/// The whole command: one line on standard output, and `ok` or `failure`.
[[nodiscard]] ExitCode health(const config::Sources& sources, bool asks_readiness);

} // namespace sallyport::gatekeeper
