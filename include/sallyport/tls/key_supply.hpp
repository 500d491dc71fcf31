// The worker's end of the supply channel: certificates and ticket keys, and the notice that they have changed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sallyport/base/result.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/sys/channel.hpp"
#include "sallyport/tls/credentials.hpp"

namespace sallyport::tls {

/// How long an answer or a message may take.
inline constexpr std::chrono::seconds kSupplyTimeout{5};

/// Owns: its channel. Thread: the worker's control thread; blocks for at most kSupplyTimeout per message.
/// Errors of both: `reset` (the keyholder has died: a new channel will come), `timeout`, `malformed` (not one of our
/// build: give up). After an error the object is fit only to be replaced.
class KeySupply {
public:
    explicit KeySupply(sys::Channel channel);

    /// To wait on: readable means that `receive_notice` will not block.
    [[nodiscard]] int fd() const { return channel_.fd(); }

    /// Asks for the certificates 0 … `certificates` − 1 (with 0: for none) and for the ticket keys.
    [[nodiscard]] Result<Credentials> describe(std::uint32_t certificates);

    /// Says which keys handshakes use from now on: the keyholder may let go of others.
    [[nodiscard]] Result<void> adopt(const std::vector<std::uint32_t>& keys);

    /// A notice came in while `describe` waited, and `fd()` may not become readable for it: call `receive_notice`.
    [[nodiscard]] bool has_notice() const { return kept_.has_value(); }
    /// The kept notice (several are merged into one), or else waits for one.
    [[nodiscard]] Result<ipc::Changed> receive_notice();

private:
    template <typename Answer, typename Request>
    [[nodiscard]] Result<Answer> ask(const Request& request, std::span<std::byte> buffer);
    void keep(const ipc::Changed& notice);

    sys::Channel channel_;
    std::optional<ipc::Changed> kept_;
};

} // namespace sallyport::tls
