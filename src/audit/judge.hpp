// The parts of `judge`.
#pragma once

#include <vector>

#include "sallyport/audit/report.hpp"

namespace sallyport::audit {

/// What this process has and may do.
void judge_process(const ProcessFacts& process, const Facts& facts, std::vector<Row>& rows);

/// What the place gives: namespaces, file systems, limits.
void judge_place(const Facts& facts, std::vector<Row>& rows);

/// Of a fact that /proc does not show to us.
inline constexpr const char* kUnreadable = "may not be read: ask as root, with CAP_SYS_PTRACE";

} // namespace sallyport::audit
