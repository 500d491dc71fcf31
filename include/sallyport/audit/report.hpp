// The second half of `sallyport audit`: facts in, rows out, each ok, warn or fail, with the line that mends it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/audit/facts.hpp"

namespace sallyport::audit {

enum class Grade : std::uint8_t {
    ok,
    warn, ///< weaker than it could be, or it may not be read
    fail  ///< a start would fail here, or a running process has what it must not have
};
[[nodiscard]] std::string_view name(Grade grade);

struct Row {
    Grade grade{};
    std::string process; ///< empty: it is about the place, not about one process
    std::string what;    ///< a name that does not change: "no_new_privs"
    std::string value;
    std::string mend; ///< for the runtime that was recognised; one or more lines, empty where nothing is to be done

    bool operator==(const Row&) const = default;
};

/// Pure: the same facts give the same rows.
[[nodiscard]] std::vector<Row> judge(const Facts& facts);

struct Report {
    bool live{};
    sys::Runtime runtime{};
    std::vector<Row> rows;

    /// Some row is `fail`: the exit code is 1.
    [[nodiscard]] bool failed() const;
};

/// A table for people. No value can move the terminal.
[[nodiscard]] std::string as_text(const Report& report);
/// One JSON object, for jq and CI.
[[nodiscard]] std::string as_json(const Report& report);

} // namespace sallyport::audit
