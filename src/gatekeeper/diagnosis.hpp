// Why the kernel refused a port, and the exact lines that mend it: a pure function from facts to text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "remedies.hpp"
#include "sallyport/sys/bind_facts.hpp"

namespace sallyport::gatekeeper {

/// Which link of the chain lost the right to bind.
enum class Verdict : std::uint8_t {
    no_file_capability,    ///< nothing gives a user that is not root the capability
    dropped_from_bounding, ///< "drop ALL": no file can give it back
    no_new_privs,          ///< the file carries it, but whoever started us did not hold it
    file_ignored,          ///< the file carries it, but its mount or user namespace makes the kernel ignore that
    root_without,          ///< root, and yet not permitted
    held_but_refused,      ///< permitted, but not for this network namespace
    not_about_ports        ///< the port is not privileged here: another guard refused
};

[[nodiscard]] Verdict verdict_of(const sys::BindFacts& facts, std::uint16_t port);

/// One sentence for the operator.
[[nodiscard]] std::string_view sentence(Verdict verdict);

/// Facts, verdict and remedies for the runtime that was recognised, over several lines. `bind`: as configured.
[[nodiscard]] std::string diagnosis(const std::string& bind, const Need& need, const sys::BindFacts& facts);

} // namespace sallyport::gatekeeper
