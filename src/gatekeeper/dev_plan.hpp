// `sallyport dev`: what its words mean, as a configuration and the names to certify.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sallyport/config/command_line.hpp"
#include "sallyport/config/config.hpp"

namespace sallyport::gatekeeper {

/// An app, and the host names that are its own; none: it has whatever is not another's.
struct DevApp {
    std::string host;
    std::string target; ///< as for --to of `run`
};

struct DevPlan {
    std::vector<DevApp> apps;
    std::vector<std::vector<std::string>> certificates; ///< the names of each; the first is the default one
};

/// "api.localhost=7000" is of that host alone, "7766" of all others: localhost, the addresses of loopback and the
/// further names. Errors: StartError (usage).
[[nodiscard]] DevPlan dev_plan(const config::DevOrder& order);

/// Reads one app's address as `run --to` would, with the other flags: StartError tells what is wrong.
using LoadWith = std::function<config::Config(const std::string& to)>;

/// Listens on loopback alone, both families as the machine has them, on this port; or, with a port of 0, where the
/// flags say.
[[nodiscard]] config::Config dev_config(const DevPlan& plan, const LoadWith& load, std::uint16_t port, bool has_ipv6);

/// "https://localhost:8443 -> 127.0.0.1:7766", a line for each name.
[[nodiscard]] std::string dev_greeting(const DevPlan& plan, std::uint16_t port);

} // namespace sallyport::gatekeeper
