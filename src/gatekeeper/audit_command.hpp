// `sallyport audit`: how confined would it be here, or is it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bind_plan.hpp"
#include "remedies.hpp"
#include "sallyport/audit/report.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/config/config.hpp"
#include "sallyport/sys/bind_facts.hpp"

namespace sallyport::gatekeeper {

struct AuditOrder {
    std::optional<config::Config> config; ///< its listeners and upstreams are judged; without one, `:443` is
    std::string half_given;               ///< what is wrong with what was given instead; else empty
    std::optional<std::uint32_t> pid;     ///< of the running gatekeeper; without one, it is about a start here
    bool json{};
};

/// Prints the report. `failure` if a row fails. Errors: StartError: `unavailable` if no gatekeeper has that id.
/// Opens no socket and starts no process.
[[nodiscard]] ExitCode audit(const AuditOrder& order);

/// Whether each listener could be bound by a process with these facts: one row each. Pure.
[[nodiscard]] std::vector<audit::Row> judge_binds(const std::vector<config::Listener>& listeners,
                                                  const sys::BindFacts& facts, const std::string& executable);

} // namespace sallyport::gatekeeper
