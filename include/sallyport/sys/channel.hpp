// One end of a SOCK_SEQPACKET socketpair: whole messages with descriptors, between our own processes.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

/// The most descriptors that one message carries (SCM_MAX_FD, unix(7), is 253).
inline constexpr std::size_t kDescriptorsMax = 253;

struct Received {
    std::size_t size{0};               ///< 0: the other end is closed
    std::vector<UniqueFd> descriptors; ///< close-on-exec
};

/// Owns its descriptor. Blocking unless said. Thread: one at a time for each of send and receive.
class Channel {
public:
    Channel() = default;
    explicit Channel(UniqueFd fd) : fd_{std::move(fd)} {}

    /// Two connected ends, close-on-exec.
    [[nodiscard]] static Result<std::pair<Channel, Channel>> pair();

    /// Sends one message. Never raises SIGPIPE. Errors: `over_limit` (too many descriptors or bytes for the socket),
    /// `reset` (the other end is closed), `timeout` (its queue stayed full for the send time-out).
    [[nodiscard]] Result<void> send(std::span<const std::byte> message, std::span<const int> descriptors = {});

    /// Waits for one message. One that does not fit is an error (`over_limit`), never cut silently; its descriptors are
    /// closed. Errors: `timeout` after the receive time-out, `reset`.
    [[nodiscard]] Result<Received> receive(std::span<std::byte> into);

    /// SO_RCVTIMEO and SO_SNDTIMEO; 0 waits for ever.
    [[nodiscard]] Result<void> set_timeout(std::chrono::milliseconds limit);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] UniqueFd release() { return std::move(fd_); }
    explicit operator bool() const { return static_cast<bool>(fd_); }

private:
    UniqueFd fd_;
};

} // namespace sallyport::sys
