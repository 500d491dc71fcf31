// The descriptor of the audit stream, opened for all three processes.
#pragma once

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/config/config.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

/// None for standard output. What is opened here is handed to each child with its Hello: none of them could open it.
/// A syslog daemon that starts anew is not found again: its lines are lost until we start anew.
/// Errors: StartError: `configuration` for a descriptor that is not open for writing, `unavailable` without syslog.
[[nodiscard]] UniqueFd open_audit_stream(const config::AuditStream& stream);

/// A child's own socket to syslog. Nothing for other places, and if there is no syslog now: it then gets ours.
[[nodiscard]] UniqueFd audit_stream_for_child(log::AuditPlace place);

} // namespace sallyport::gatekeeper
