#include "sallyport/sys/capabilities.hpp"

#include <memory>
#include <type_traits>

#include <sys/capability.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::sys {

namespace {

struct FreeCaps {
    void operator()(cap_t caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCaps>;

std::uint64_t bit(cap_value_t capability)
{
    return std::uint64_t{1} << capability;
}

std::uint64_t bits_of(const Caps& caps, cap_flag_t set)
{
    std::uint64_t bits{};
    for (cap_value_t capability = 0; capability < cap_max_bits(); ++capability) {
        cap_flag_value_t value{CAP_CLEAR};
        if (cap_get_flag(caps.get(), capability, set, &value) == 0 && value == CAP_SET) bits |= bit(capability);
    }
    return bits;
}

template <typename IsSet>
std::uint64_t bits_where(IsSet is_set)
{
    std::uint64_t bits{};
    for (cap_value_t capability = 0; capability < cap_max_bits(); ++capability)
        if (is_set(capability) > 0) bits |= bit(capability);
    return bits;
}

Result<void> set_effective(cap_value_t capability, cap_flag_value_t value)
{
    const Caps caps{cap_get_proc()};
    if (!caps || cap_set_flag(caps.get(), CAP_EFFECTIVE, 1, &capability, value) != 0 || cap_set_proc(caps.get()) != 0)
        return fail_errno("changing the effective capabilities");
    return {};
}

Result<BoundingSet> empty_bounding_set(const CapabilitySets& now)
{
    if (now.bounding == 0) return BoundingSet::emptied;
    if ((now.permitted & kSetPcap) == 0) return BoundingSet::kept;
    if (const auto raised = set_effective(CAP_SETPCAP, CAP_SET); !raised) return std::unexpected{raised.error()};
    for (cap_value_t capability = 0; capability < cap_max_bits(); ++capability)
        if (cap_drop_bound(capability) != 0) return fail_errno("emptying the bounding set");
    return BoundingSet::emptied;
}

Result<void> permit_only(std::uint64_t permitted)
{
    const Caps caps{cap_init()};
    if (!caps) return fail_errno("lowering the permitted capabilities");
    for (cap_value_t capability = 0; capability < cap_max_bits(); ++capability)
        if ((permitted & bit(capability)) != 0 && cap_set_flag(caps.get(), CAP_PERMITTED, 1, &capability, CAP_SET) != 0)
            return fail_errno("lowering the permitted capabilities");
    if (cap_set_proc(caps.get()) != 0) return fail_errno("lowering the permitted capabilities");
    return {};
}

// The bounding set first, while CAP_SETPCAP is still there to do it.
Result<BoundingSet> keep_only(std::uint64_t kept)
{
    const auto now = capability_sets();
    if (!now) return std::unexpected{now.error()};
    if (cap_reset_ambient() != 0) return fail_errno("clearing the ambient capabilities");
    auto bounding = empty_bounding_set(*now);
    if (!bounding) return bounding;
    if (const auto lowered = permit_only(now->permitted & kept); !lowered) return std::unexpected{lowered.error()};
    return bounding;
}

} // namespace

Result<CapabilitySets> capability_sets()
{
    const Caps caps{cap_get_proc()};
    if (!caps) return fail_errno("reading the capabilities");
    return CapabilitySets{
        .inheritable = bits_of(caps, CAP_INHERITABLE),
        .permitted = bits_of(caps, CAP_PERMITTED),
        .effective = bits_of(caps, CAP_EFFECTIVE),
        .bounding = bits_where(cap_get_bound),
        .ambient = bits_where(cap_get_ambient),
    };
}

RaisedNetBindService::RaisedNetBindService()
{
    const Caps now{cap_get_proc()};
    if (!now) return;
    const bool was_effective = (bits_of(now, CAP_EFFECTIVE) & kNetBindService) != 0;
    raised_ = was_effective || set_effective(CAP_NET_BIND_SERVICE, CAP_SET).has_value();
    lower_again_ = raised_ && !was_effective;
}

RaisedNetBindService::~RaisedNetBindService()
{
    if (lower_again_) SALLYPORT_ASSERT(set_effective(CAP_NET_BIND_SERVICE, CAP_CLEAR).has_value());
}

Result<BoundingSet> keep_only_net_bind_service()
{
    return keep_only(kNetBindService);
}

Result<BoundingSet> drop_all_capabilities()
{
    return keep_only(0);
}

} // namespace sallyport::sys
