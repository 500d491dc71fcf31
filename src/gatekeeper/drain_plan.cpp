#include "drain_plan.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::gatekeeper {

DrainPlan::DrainPlan(DrainSettings settings, TimePoint told, Look look)
    : settings_{std::move(settings)}, told_{told}, look_at_{told + Millis{settings_.delay_ms}}, look_{std::move(look)}
{
}

bool DrainPlan::begins(TimePoint now)
{
    if (now >= told_ + Millis{settings_.timeout_ms}) return true;
    if (now < look_at_) return false;
    look_at_ = now + kLooksEvery;
    return !somebody_listens();
}

/// What cannot be seen is not waited for.
bool DrainPlan::somebody_listens() const
{
    return std::ranges::any_of(settings_.apps, [&](const SocketAddress& app) { return look_(app).value_or(false); });
}

TimePoint DrainPlan::due() const
{
    return std::min(look_at_, told_ + Millis{settings_.timeout_ms});
}

Millis DrainPlan::left(TimePoint now) const
{
    return std::max(Millis{1}, std::chrono::ceil<Millis>(told_ + Millis{settings_.timeout_ms} - now));
}

} // namespace sallyport::gatekeeper
