// The keys in force: replaced as a whole while other threads sign with them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "key_pair.hpp"

namespace sallyport::keyholder {

/// All pairs of one load, by the index of their source.
using KeySet = std::vector<std::shared_ptr<const KeyPair>>;

/// A replaced set stays for so long, because shards still present its certificates in handshakes under way.
inline constexpr std::int64_t kReplacedKeysLife = 60;

/// What a key is called in ipc: 12 bits of index, and above them 20 bits of its public half's hash, so that the name
/// means the same key after a reload and in a restarted keyholder.
[[nodiscard]] std::uint32_t key_name(std::uint32_t index, const KeyPair& pair);

/// Immutable. The newest set is the one in force.
struct KeySets {
    std::shared_ptr<const KeySet> current;
    std::shared_ptr<const KeySet> replaced; ///< none most of the time

    /// By key_name: of either set; else the current one of this index; else nullptr.
    [[nodiscard]] std::shared_ptr<const KeyPair> find(std::uint32_t name) const;
};

/// Thread: `replace` and `forget_replaced` on one; everything else on any.
class KeyRing {
public:
    void replace(std::shared_ptr<const KeySet> keys, std::int64_t now);
    /// Lets go of a replaced set whose time is over. True if it did.
    bool forget_replaced(std::int64_t now);
    /// When that is due; nothing is replaced: the end of time.
    [[nodiscard]] std::int64_t forgets_at() const;

    /// Never nullptr; without a set both are.
    [[nodiscard]] std::shared_ptr<const KeySets> sets() const;
    /// Another number than before: `sets()` has changed. Costs an atomic load.
    [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

private:
    void publish(KeySets sets);

    mutable std::mutex mutex_;
    std::shared_ptr<const KeySets> sets_{std::make_shared<const KeySets>()}; ///< guarded
    std::atomic<std::uint64_t> version_{0};
    std::int64_t replaced_at_{0};
};

} // namespace sallyport::keyholder
