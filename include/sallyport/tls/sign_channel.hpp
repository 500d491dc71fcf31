// One shard's way to the private keys: asks the keyholder to sign, and survives the keyholder's death.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "sallyport/base/result.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/sys/channel.hpp"

namespace sallyport::tls {

/// What became of the requests so far.
struct SignCounts {
    std::uint64_t made{};    ///< signatures
    std::uint64_t refused{}; ///< by the keyholder's rules
    std::uint64_t failed{};  ///< no answer, even after a resend
    std::uint64_t resent{};  ///< after the channel broke
};

/// How long the shard waits: for an answer, then for another channel; and for an answer once it has waited in vain, so
/// that a hung keyholder does not stop the shard's other connections at each handshake.
struct SignPatience {
    std::chrono::milliseconds answer{2000};
    std::chrono::milliseconds replacement{2000};
    std::chrono::milliseconds suspect{100};
};

/// Owns: the current channel, and its replacement until the shard takes it. Thread: `sign` on its shard, `replace` and
/// `counts` on any.
class SignChannel {
public:
    explicit SignChannel(sys::Channel channel, SignPatience patience = {});

    /// The channel to a new keyholder. The old one is told to end, which ends the wait of a signer, who then sends its
    /// request again.
    void replace(sys::Channel channel);

    /// `key` is ipc::Certificate::key. Blocks the shard until it is signed, as signing in place would. A channel that
    /// breaks or stays silent is waited out for a replacement, once per channel, and the request is sent again once.
    /// Errors: `forbidden` (refused), `reset` and `timeout` (no keyholder), `malformed` (not one of our build).
    [[nodiscard]] Result<ipc::Bytes> sign(std::uint32_t key, ipc::SignatureScheme scheme,
                                          std::span<const std::byte> text);

    [[nodiscard]] SignCounts counts() const;

private:
    [[nodiscard]] Result<ipc::Bytes> exchange(const ipc::Sign& request);
    [[nodiscard]] Result<ipc::Bytes> receive_signature(std::uint32_t sequence);
    void take_replacement();
    [[nodiscard]] bool wait_for_replacement();
    void adopt_locked();
    void suspect(bool suspected);
    void account(const Result<ipc::Bytes>& result, const ipc::Sign& request);

    const SignPatience patience_;
    std::mutex mutex_;
    std::condition_variable replaced_;
    sys::Channel replacement_; ///< guarded
    sys::Channel channel_;     ///< its descriptor changes on the shard only, and under the lock
    bool suspect_{false};      ///< the shard has waited in vain
    std::uint32_t sequence_{0};
    std::atomic<std::uint64_t> made_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::uint64_t> resent_{0};
};

} // namespace sallyport::tls
