// Which sources cannot be used now, so that their pairs in force stay: for whoever watches over certificates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "key_store.hpp"
#include "problem.hpp"
#include "rotation.hpp"

namespace sallyport::keyholder {

/// Thread: one.
class WrongSources {
public:
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(wrong_.size()); }

    /// A load of all has failed: of sources without a problem it tells nothing new.
    void note_failed_load(std::span<const Problem> problems);
    /// A load has succeeded: the others are in force.
    void note_load(std::span<const Refusal> refused);
    /// Returns those whose files are, again, what is in force.
    [[nodiscard]] std::vector<std::size_t> note_look(const Findings& findings);

private:
    std::set<std::size_t> wrong_;
};

} // namespace sallyport::keyholder
