#include "output.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace sallyport::log {

namespace {

using std::chrono::milliseconds;

/// How long one wait may last before the time to give up is looked at again.
constexpr milliseconds kWaitSlice{200};
/// After a descriptor that promised room and had none.
constexpr milliseconds kRefusedPause{10};

} // namespace

bool Output::write(std::string_view text)
{
    while (!text.empty()) {
        if (!wait_for_room()) return false;
        const ssize_t size = ::write(fd_, text.data(), text.size());
        if (size >= 0)
            text.remove_prefix(static_cast<std::size_t>(size));
        else if (errno == EAGAIN)
            ::poll(nullptr, 0, static_cast<int>(kRefusedPause.count()));
        else if (errno != EINTR)
            return false;
    }
    return true;
}

void Output::give_up_after(milliseconds patience)
{
    give_up_at_ = Clock::now().time_since_epoch() + patience;
}

// Before every write, also on a blocking descriptor: write(2) on a pipe that nobody reads never returns, and then
// neither would `stop`.
bool Output::wait_for_room() const
{
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(patience_left());
        pollfd room{fd_, POLLOUT, 0};
        const int ready = ::poll(&room, 1, static_cast<int>(std::clamp(left, milliseconds{0}, kWaitSlice).count()));
        if (ready > 0) return true; // room, or an error that write(2) will name
        if (ready == 0 && left.count() <= 0) return false;
        if (ready < 0 && errno != EINTR) return false;
    }
}

Output::Clock::duration Output::patience_left() const
{
    const Clock::duration at = give_up_at_;
    return at == Clock::duration::max() ? Clock::duration{kWaitSlice} : at - Clock::now().time_since_epoch();
}

} // namespace sallyport::log
