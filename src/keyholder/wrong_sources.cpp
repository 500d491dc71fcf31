#include "wrong_sources.hpp"

namespace sallyport::keyholder {

void WrongSources::note_failed_load(std::span<const Problem> problems)
{
    for (const Problem& problem : problems)
        if (problem.source) wrong_.insert(*problem.source);
}

void WrongSources::note_load(std::span<const Refusal> refused)
{
    wrong_.clear();
    for (const Refusal& refusal : refused)
        wrong_.insert(refusal.index);
}

std::vector<std::size_t> WrongSources::note_look(const Findings& findings)
{
    std::vector<std::size_t> mended;
    for (const auto& [index, pair] : findings.fresh)
        wrong_.erase(index);
    for (const std::size_t index : findings.unchanged)
        if (wrong_.erase(index) != 0) mended.push_back(index);
    for (const auto& [index, reason] : findings.refused)
        wrong_.insert(index);
    return mended;
}

} // namespace sallyport::keyholder
