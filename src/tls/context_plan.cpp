#include "context_plan.hpp"

#include <algorithm>

namespace sallyport::tls {
namespace {

void add(CertificateSet& set, std::size_t position, std::span<const CertificateNames> certificates)
{
    const KeyKind kind = certificates[position].kind;
    const bool taken = std::ranges::any_of(set, [&](std::size_t other) { return certificates[other].kind == kind; });
    if (!taken) set.push_back(position);
}

std::map<std::string, CertificateSet> sets_by_name(std::span<const CertificateNames> certificates)
{
    std::map<std::string, CertificateSet> sets;
    for (std::size_t position = 0; position < certificates.size(); ++position)
        for (const std::string& name : certificates[position].names)
            add(sets[name], position, certificates);
    return sets;
}

std::size_t position_of(const CertificateSet& set, std::vector<CertificateSet>& sets)
{
    const auto known = std::ranges::find(sets, set);
    if (known != sets.end()) return static_cast<std::size_t>(known - sets.begin());
    sets.push_back(set);
    return sets.size() - 1;
}

} // namespace

ContextPlan plan_contexts(std::span<const CertificateNames> certificates)
{
    const std::map<std::string, CertificateSet> by_name = sets_by_name(certificates);
    const std::vector<std::string>& first_names = certificates.front().names;
    ContextPlan plan;
    plan.sets.push_back(first_names.empty() ? CertificateSet{0} : by_name.at(first_names.front()));
    for (const auto& [name, set] : by_name)
        plan.names.emplace(name, position_of(set, plan.sets));
    return plan;
}

} // namespace sallyport::tls
