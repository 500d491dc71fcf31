// The way to the end: when the drain begins after the signal, and how long it may take.
#pragma once

#include <functional>
#include <optional>

#include "app_listens.hpp"
#include "child.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// Thread: one.
class DrainPlan {
public:
    using Look = std::function<std::optional<bool>(const SocketAddress&)>;
    static constexpr Millis kLooksEvery{200};

    /// `told`: when the signal came, from which everything counts.
    DrainPlan(DrainSettings settings, TimePoint told, Look look = app_listens);

    /// The delay is over and no app listens any longer, or the whole time is over. Looks for the apps if it is time to.
    [[nodiscard]] bool begins(TimePoint now);
    /// When to ask again.
    [[nodiscard]] TimePoint due() const;
    /// What is left for the drain: never 0.
    [[nodiscard]] Millis left(TimePoint now) const;

private:
    [[nodiscard]] bool somebody_listens() const;

    DrainSettings settings_;
    TimePoint told_;
    TimePoint look_at_;
    Look look_;
};

} // namespace sallyport::gatekeeper
