// The configured limits of `mode: http`, as the code that keeps them wants them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sallyport/http/head_scanner.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/site/reason.hpp"

namespace sallyport::site {

[[nodiscard]] http::Limits head_limits(const ipc::HttpLimits& limits);

/// How long we wait for a client that sends a body: at most `body_ms` for the next byte, and less and less for one that
/// sends slower than `body_rate`. Only waits for the client count; the app may take the bytes as slowly as it likes.
///
///     arm the deadline with patience_ms(), wait, then waited(how long, how many bytes came)
///
/// Not for tunnels, nor for calls that are conversations: gRPC, or where the response has begun.
class BodyPace {
public:
    explicit BodyPace(const ipc::HttpLimits& limits)
        : rate_{std::max<std::uint32_t>(limits.body_rate, 1)},
          most_{std::uint64_t{std::max<std::uint32_t>(limits.body_ms, 1)} * rate_},
          left_{most_}
    {
    }

    /// Never 0: what has come in time is not too late.
    [[nodiscard]] std::uint32_t patience_ms() const
    {
        return static_cast<std::uint32_t>(std::max<std::uint64_t>(left_ / rate_, 1));
    }

    void waited(std::uint64_t ms, std::uint64_t bytes)
    {
        left_ = ms < most_ / rate_ ? left_ - std::min(left_, ms * rate_) : 0;
        const std::uint64_t room = most_ - left_;
        left_ = bytes > room / 1000 ? most_ : left_ + bytes * 1000;
    }

    /// What a failed wait is called: for a whole patience not a byte came, or less than the rate for longer.
    [[nodiscard]] Reason reason() const { return left_ == most_ ? Reason::body_timeout : Reason::body_too_slow; }

private:
    // In thousandths of a byte: what the client may be behind.
    std::uint64_t rate_; ///< in a millisecond
    std::uint64_t most_;
    std::uint64_t left_;
};

} // namespace sallyport::site
