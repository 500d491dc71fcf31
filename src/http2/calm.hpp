// What a peer may do that costs us more than it.
#pragma once

#include <cstdint>

namespace sallyport::http2 {

/// So many at once, and so many a second.
class Allowance {
public:
    Allowance(std::uint32_t burst, std::uint32_t per_second)
        : left_{std::uint64_t{burst} * 1000}, max_{left_}, per_second_{per_second}
    {
    }
    void pass_time(std::uint64_t milliseconds) { give_thousandths(milliseconds * per_second_); }
    void give(std::uint32_t count) { give_thousandths(std::uint64_t{count} * 1000); }
    /// False: it is used up.
    [[nodiscard]] bool spend()
    {
        if (left_ < 1000) return false;
        left_ -= 1000;
        return true;
    }

private:
    void give_thousandths(std::uint64_t thousandths)
    {
        left_ = thousandths > max_ - left_ ? max_ : left_ + thousandths;
    }

    std::uint64_t left_; ///< in thousandths
    std::uint64_t max_;
    std::uint32_t per_second_;
};

/// A connection's: each frame costs, and what moves the exchanges on earns it back. So pings, settings, empty DATA or
/// window updates without end end it, and any amount of honest traffic does not. Frames of unknown types cost us less
/// than their sender, and are not counted.
class Calm {
public:
    void pass_time(std::uint64_t now)
    {
        if (began_ && now > now_) {
            frames_.pass_time(now - now_);
            cancelled_.pass_time(now - now_);
        }
        began_ = true;
        now_ = now;
    }

    [[nodiscard]] bool frame() { return frames_.spend(); }
    /// A head was complete. Its stream may come with a few frames more (a priority, windows).
    void request() { frames_.give(8); }
    /// Some of a body has come.
    void body() { frames_.give(1); }
    /// DATA was sent: two windows may be opened for it, or a ping measure it.
    void sent() { frames_.give(4); }
    /// The peer withdrew what we had begun to work on (rapid reset).
    [[nodiscard]] bool cancelled() { return cancelled_.spend(); }

private:
    Allowance frames_{4000, 200};
    Allowance cancelled_{500, 100};
    std::uint64_t now_{0};
    bool began_{false};
};

} // namespace sallyport::http2
