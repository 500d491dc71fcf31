// What the children are told: the configuration as messages, every default turned into a number.
#pragma once

#include <cstdint>
#include <vector>

#include "sallyport/config/config.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

/// What the machine allows, for the defaults that depend on it.
struct Machine {
    std::uint16_t shards{1};          ///< what the CPU quota and the PID limit allow
    std::uint64_t descriptors{1'024}; ///< RLIMIT_NOFILE of the worker
};

/// Everything that is sent to a new child, in the order of `ipc/control.hpp`, but for the descriptors.
struct Settings {
    ipc::Hello hello;
    std::vector<ipc::Upstream> upstreams;
    std::vector<ipc::Listener> listeners; ///< as in the configuration; `shared` follows from how each one was bound
    std::vector<ipc::CertificateSource> sources; ///< each pair once, however many listeners show it
    std::uint32_t drain_ms{};
    int audit_fd{-1}; ///< what goes along with Hello: the audit stream's; borrowed. -1: standard output
};

/// Errors: StartError (configuration) if it asks for more than the messages can carry.
[[nodiscard]] Settings settings_of(const config::Config& config, const Machine& machine);

/// How every process is to be confined.
[[nodiscard]] ipc::SandboxSettings sandbox_of(const config::Sandbox& sandbox);

[[nodiscard]] std::uint16_t shards_of(const config::Config& config, const Machine& machine);

/// How many connections this many descriptors serve: two each, and some for the rest; at most 10,000, at least 1.
[[nodiscard]] std::uint32_t connections_that_fit(std::uint64_t descriptors);

/// How many descriptors so many connections take.
[[nodiscard]] std::uint64_t descriptors_for(std::uint32_t connections);

} // namespace sallyport::gatekeeper
