// What the children are told: the configuration as messages, every default turned into a number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sallyport/config/config.hpp"
#include "sallyport/ipc/admin.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::gatekeeper {

/// What the machine allows, for the defaults that depend on it.
struct Machine {
    std::uint16_t shards{1};                 ///< what the CPU quota and the PID limit allow
    std::optional<std::uint64_t> tasks{};    ///< the PID limit
    std::optional<std::uint16_t> in_force{}; ///< shards of the generation that serves: a later one has as many
    std::uint64_t descriptors{1'024};        ///< RLIMIT_NOFILE of the worker
    bool orchestrated{false};                ///< by ECS or Kubernetes: load balancers learn late that we end
};

/// From the signal to the end.
struct DrainSettings {
    std::uint32_t delay_ms{};
    std::uint32_t timeout_ms{};        ///< the delay included
    std::vector<SocketAddress> apps{}; ///< nothing is drained while one of them listens
};

/// What becomes of the generation before.
struct ReloadSettings {
    std::uint32_t drain_ms{};         ///< 0: it is not cut
    std::uint16_t generations_max{2}; ///< alive at once
    std::uint32_t last_call_ms{};     ///< for the oldest, when one more is on its way
};

/// Everything that is sent to a new child, in the order of `ipc/control.hpp`, but for the descriptors.
struct Settings {
    ipc::Hello hello;
    std::optional<ipc::NameService> names{}; ///< only if one is to be looked up: see take_names
    std::vector<ipc::Upstream> upstreams;
    std::vector<ipc::Listener> listeners; ///< as in the configuration; `shared` follows from how each one was bound
    std::vector<std::vector<ipc::Route>> routes; ///< of each listener
    std::vector<ipc::CertificateSource> sources; ///< each pair once, however many listeners show it
    DrainSettings drain;
    ReloadSettings reload{};
    std::optional<ipc::Admin> admin{}; ///< what goes along: `admin_fd`, borrowed
    int admin_fd{-1};
    int audit_fd{-1}; ///< what goes along with Hello: the audit stream's; borrowed. -1: standard output
};

/// Errors: StartError (configuration) if it asks for more than the messages can carry.
[[nodiscard]] Settings settings_of(const config::Config& config, const Machine& machine);

/// In the order in which listeners number them.
[[nodiscard]] std::vector<ipc::Upstream> upstreams_of(const config::Config& config);

/// How every process is to be confined.
[[nodiscard]] ipc::SandboxSettings sandbox_of(const config::Sandbox& sandbox);

/// How many threads serve: where that is not given, as many as leave room for all generations.
[[nodiscard]] std::uint16_t shards_of(const config::Config& config, const Machine& machine);

/// How many connections this many descriptors serve: two each, and some for the rest; at most 10,000, at least 1.
[[nodiscard]] std::uint32_t connections_that_fit(std::uint64_t descriptors);

/// How many descriptors so many connections take.
[[nodiscard]] std::uint64_t descriptors_for(std::uint32_t connections);

} // namespace sallyport::gatekeeper
