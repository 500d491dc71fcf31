// One worker's channels: its supply channel, answered by the main thread, and its sign channels, a thread each.
#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/sys/channel.hpp"

#include "rules.hpp"

namespace sallyport::keyholder {

/// A worker that does not read its answers holds a thread for at most so long, and then loses its channels.
inline constexpr std::chrono::milliseconds kAnswerTimeout{200};
/// How often a thread without work looks whether its keys are still in force.
inline constexpr std::chrono::milliseconds kIdleLook{30'000};

/// Owns: the channels and the threads. Borrows: the vault, which must outlive it. Thread: the main thread.
class ServedWorker {
public:
    /// The supply channel first, then the sign channels. Throws std::system_error if the kernel gives no thread; then
    /// all channels are closed.
    [[nodiscard]] static std::unique_ptr<ServedWorker> start(const Vault& vault, std::vector<UniqueFd> channels);

    ServedWorker(const ServedWorker&) = delete;
    ServedWorker& operator=(const ServedWorker&) = delete;
    /// Ends every channel and waits for the threads: at most for the signature that each is making.
    ~ServedWorker();

    /// To wait on: readable when the worker asks on its supply channel, and when one of its channels broke a rule.
    [[nodiscard]] int fd() const { return supply_.fd(); }

    /// Answers one request on the supply channel. False: the worker is gone, or has no channel any more.
    [[nodiscard]] bool answer_supply();
    /// What it may sign with.
    [[nodiscard]] const std::vector<std::uint32_t>& claimed_keys() const { return desk_.claims.keys(); }
    /// False as above.
    [[nodiscard]] bool notify(const ipc::Changed& changed);

private:
    ServedWorker(const Vault& vault, std::vector<UniqueFd> channels);
    void serve_sign(sys::Channel& channel);
    void end_channels() noexcept;

    Desk desk_;
    sys::Channel supply_;
    std::vector<sys::Channel> sign_;
    std::vector<std::jthread> threads_; ///< last: they use what is above
};

} // namespace sallyport::keyholder
