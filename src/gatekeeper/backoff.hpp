// How long to wait before a dead child is started again.
#pragma once

#include <algorithm>
#include <chrono>

namespace sallyport::gatekeeper {

/// 100 ms, doubling to 5 s; a child that lived for 10 s starts the row anew.
class Backoff {
public:
    using Millis = std::chrono::milliseconds;

    static constexpr Millis kFirst{100};
    static constexpr Millis kMost{5'000};
    static constexpr Millis kHealthy{10'000};

    /// The wait after a life of this length.
    [[nodiscard]] Millis after(Millis lived)
    {
        if (lived >= kHealthy) next_ = kFirst;
        const Millis wait = next_;
        next_ = std::min(next_ * 2, kMost);
        return wait;
    }

private:
    Millis next_{kFirst};
};

} // namespace sallyport::gatekeeper
