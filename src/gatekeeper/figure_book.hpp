// The pages in which workers count (metrics/figures.hpp), so that no figure falls when one of them dies or is replaced.
//
// Each worker has a page of its own, which outlives it. A newborn one is given, beside its own: the house's page, the
// pages of the workers that live then, and a copy of what all earlier ones have counted. It adds them up; who dies
// meanwhile stays where it was, and is part of the copy that the next newborn gets.
#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/metrics/figures.hpp"
#include "sallyport/sys/shared_memory.hpp"

namespace sallyport::gatekeeper {

/// Owns: all pages. Thread: one.
class FigureBook {
public:
    using Number = std::uint32_t; ///< of a page; never used again

    /// Throws StartError (os_error).
    FigureBook();

    /// What this process counts itself.
    [[nodiscard]] metrics::HouseFigures& house() const;

    /// What all workers have counted, the dead ones included.
    [[nodiscard]] metrics::Sum sum() const;

    /// A page for a worker that is about to be born. Errors: the kernel's.
    [[nodiscard]] Result<Number> open(std::size_t shards);
    /// What goes along with ipc::Figures to the worker of that page, which is the one opened last.
    [[nodiscard]] std::vector<int> descriptors(Number number) const;
    /// Its worker has mapped it: from now on nobody else can write there.
    void keep(Number number);
    /// Its worker is dead; what it had open has crashed with it.
    void close(Number number);

private:
    struct Page {
        Number number;
        sys::SharedMemory memory;
        bool is_closed{false};
    };
    [[nodiscard]] Page* find(Number number);
    void fold_closed();

    sys::SharedMemory house_;
    metrics::Sum past_;  ///< of all workers whose pages are gone
    UniqueFd past_copy_; ///< for the one opened last
    std::list<Page> pages_;
    Number last_{0};
};

} // namespace sallyport::gatekeeper
