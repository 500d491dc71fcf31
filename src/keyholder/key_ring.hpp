// The keys in force: replaced as a whole while other threads sign with them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "key_pair.hpp"

namespace sallyport::keyholder {

/// All pairs of one load, by the index of their source.
using KeySet = std::vector<std::shared_ptr<const KeyPair>>;

/// A replaced key stays for so long after the last worker has let go of it: handshakes may be under way.
inline constexpr std::int64_t kReplacedKeysLife = 60;
/// … and so many of each source at most, however fast they are replaced.
inline constexpr std::size_t kReplacedKeysMax = 6;

/// What a key is called in ipc: 12 bits of index, and above them 20 bits of its public half's hash, so that the name
/// means the same key after a reload and in a restarted keyholder.
[[nodiscard]] std::uint32_t key_name(std::uint32_t index, const KeyPair& pair);

struct ReplacedKey {
    std::uint32_t name{};
    std::shared_ptr<const KeyPair> pair;
};

/// Immutable. The current set is the one in force.
struct KeySets {
    std::shared_ptr<const KeySet> current;
    std::vector<ReplacedKey> replaced; ///< the newest first; none most of the time

    /// By key_name: a current or a replaced one; else the current one of this index; else nullptr.
    [[nodiscard]] std::shared_ptr<const KeyPair> find(std::uint32_t name) const;
};

/// Thread: `replace`, `forget_replaced` and `forgets_at` on one; everything else on any.
class KeyRing {
public:
    void replace(std::shared_ptr<const KeySet> keys, std::int64_t now);
    /// Lets go of replaced keys whose time is over: of those that are `in_use` only if there are too many.
    void forget_replaced(std::span<const std::uint32_t> in_use, std::int64_t now);
    /// When that is due; nothing is replaced: the end of time.
    [[nodiscard]] std::int64_t forgets_at() const;

    /// Never nullptr; without a set its current one is.
    [[nodiscard]] std::shared_ptr<const KeySets> sets() const;
    /// Another number than before: `sets()` has changed. Costs an atomic load.
    [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

private:
    void publish(KeySets sets);

    mutable std::mutex mutex_;
    std::shared_ptr<const KeySets> sets_{std::make_shared<const KeySets>()}; ///< guarded
    std::atomic<std::uint64_t> version_{0};
    std::map<std::uint32_t, std::int64_t> unused_since_; ///< of the replaced ones, by name
};

} // namespace sallyport::keyholder
