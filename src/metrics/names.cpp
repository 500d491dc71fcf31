#include "sallyport/metrics/names.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::metrics {

namespace {

static_assert(kFaults == static_cast<std::size_t>(Fault::internal) + 1);
static_assert(kSides == static_cast<std::size_t>(Side::self) + 1);

constexpr std::array<std::string_view, kOwnEnds> kEndNames{"orderly", "cut", "probe", "crashed"};

/// The last one if it is none of them.
template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N>& names, std::string_view name)
{
    const auto known = std::ranges::find(names, name);
    return known == names.end() ? N - 1 : static_cast<std::size_t>(known - names.begin());
}

} // namespace

std::string_view end_side(std::size_t slot)
{
    return slot < kOwnEnds ? std::string_view{} : name(static_cast<Side>((slot - kOwnEnds) / kFaults));
}

std::string_view end_what(std::size_t slot)
{
    return slot < kOwnEnds ? kEndNames[slot] : name(static_cast<Fault>((slot - kOwnEnds) % kFaults));
}

std::size_t slot_of(const Agreement& agreement)
{
    std::size_t slot = index_of(kVersions, agreement.version);
    slot = slot * kCiphers.size() + index_of(kCiphers, agreement.cipher);
    slot = slot * kGroups.size() + index_of(kGroups, agreement.group);
    return slot * kResumptions + (agreement.resumed ? 1 : 0);
}

Agreement agreement_at(std::size_t slot)
{
    Agreement agreement;
    agreement.resumed = slot % kResumptions == 1;
    slot /= kResumptions;
    agreement.group = kGroups[slot % kGroups.size()];
    slot /= kGroups.size();
    agreement.cipher = kCiphers[slot % kCiphers.size()];
    agreement.version = kVersions[slot / kCiphers.size()];
    return agreement;
}

std::size_t failure_slot(std::string_view reason)
{
    return index_of(kHandshakeFailures, reason);
}

} // namespace sallyport::metrics
