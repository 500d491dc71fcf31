#include "key_ring.hpp"

#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace sallyport::keyholder {

namespace {

constexpr unsigned kIndexBits = 12;
constexpr std::size_t kTagDigits = 5; // hexadecimal: 20 bits

std::uint32_t index_in(std::uint32_t name)
{
    return name & ((1U << kIndexBits) - 1);
}

std::shared_ptr<const KeyPair> at(const std::shared_ptr<const KeySet>& set, std::uint32_t index)
{
    return set && index < set->size() ? (*set)[index] : nullptr;
}

} // namespace

std::uint32_t key_name(std::uint32_t index, const KeyPair& pair)
{
    const std::string hash = pair.facts.spki_sha256.substr(0, kTagDigits);
    std::uint32_t tag = 0;
    std::from_chars(hash.data(), hash.data() + hash.size(), tag, 16);
    return tag << kIndexBits | index;
}

std::shared_ptr<const KeyPair> KeySets::find(std::uint32_t name) const
{
    const std::uint32_t index = index_in(name);
    for (const auto& set : {current, replaced})
        if (auto pair = at(set, index); pair && key_name(index, *pair) == name) return pair;
    return at(current, index);
}

void KeyRing::replace(std::shared_ptr<const KeySet> keys, std::int64_t now)
{
    replaced_at_ = now;
    publish({std::move(keys), sets()->current});
}

bool KeyRing::forget_replaced(std::int64_t now)
{
    if (now < forgets_at()) return false;
    publish({sets()->current, nullptr});
    return true;
}

std::int64_t KeyRing::forgets_at() const
{
    return sets()->replaced ? replaced_at_ + kReplacedKeysLife : std::numeric_limits<std::int64_t>::max();
}

std::shared_ptr<const KeySets> KeyRing::sets() const
{
    const std::lock_guard lock{mutex_};
    return sets_;
}

void KeyRing::publish(KeySets sets)
{
    auto next = std::make_shared<const KeySets>(std::move(sets));
    const std::lock_guard lock{mutex_};
    sets_.swap(next);
    version_.fetch_add(1, std::memory_order_release);
}

} // namespace sallyport::keyholder
