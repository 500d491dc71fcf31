#include "key_ring.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
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

bool is_current(const KeySet& current, std::uint32_t name)
{
    const std::uint32_t index = index_in(name);
    return index < current.size() && key_name(index, *current[index]) == name;
}

/// What the next set no longer has, before what was replaced earlier.
std::vector<ReplacedKey> replaced_by(const KeySet& next, const KeySets& sets)
{
    std::vector<ReplacedKey> replaced;
    for (std::uint32_t index = 0; sets.current && index < sets.current->size(); ++index) {
        const auto& pair = (*sets.current)[index];
        replaced.push_back({key_name(index, *pair), pair});
    }
    replaced.insert(replaced.end(), sets.replaced.begin(), sets.replaced.end());
    std::erase_if(replaced, [&](const ReplacedKey& key) { return is_current(next, key.name); });
    return replaced;
}

using Names = std::span<const std::uint32_t>;

bool is_in(Names names, std::uint32_t name)
{
    return std::ranges::find(names, name) != names.end();
}

/// Of one source: the oldest that nobody uses, else the oldest.
void drop_surplus(std::vector<ReplacedKey>& replaced, std::uint32_t index, Names in_use)
{
    const auto is_of_source = [&](const ReplacedKey& key) { return index_in(key.name) == index; };
    while (static_cast<std::size_t>(std::ranges::count_if(replaced, is_of_source)) > kReplacedKeysMax) {
        auto victim = std::find_if(replaced.rbegin(), replaced.rend(), [&](const ReplacedKey& key) {
            return is_of_source(key) && !is_in(in_use, key.name);
        });
        if (victim == replaced.rend()) victim = std::find_if(replaced.rbegin(), replaced.rend(), is_of_source);
        replaced.erase(std::next(victim).base());
    }
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
    auto pair = at(current, index);
    if (pair && key_name(index, *pair) == name) return pair;
    const auto old = std::ranges::find(replaced, name, &ReplacedKey::name);
    return old != replaced.end() ? old->pair : pair;
}

void KeyRing::replace(std::shared_ptr<const KeySet> keys, std::int64_t now)
{
    auto replaced = replaced_by(*keys, *sets());
    for (const ReplacedKey& key : replaced)
        unused_since_.try_emplace(key.name, now);
    publish({std::move(keys), std::move(replaced)});
}

void KeyRing::forget_replaced(Names in_use, std::int64_t now)
{
    const auto before = sets();
    auto replaced = before->replaced;
    for (const ReplacedKey& key : replaced)
        if (is_in(in_use, key.name)) unused_since_[key.name] = now;
    std::erase_if(replaced, [&](const ReplacedKey& key) { return now - unused_since_[key.name] >= kReplacedKeysLife; });
    for (std::uint32_t index = 0; !replaced.empty() && index < before->current->size(); ++index)
        drop_surplus(replaced, index, in_use);
    if (replaced.size() != before->replaced.size()) publish({before->current, std::move(replaced)});
}

std::int64_t KeyRing::forgets_at() const
{
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
    for (const auto& [name, since] : unused_since_)
        due = std::min(due, since + kReplacedKeysLife);
    return due;
}

std::shared_ptr<const KeySets> KeyRing::sets() const
{
    const std::lock_guard lock{mutex_};
    return sets_;
}

void KeyRing::publish(KeySets sets)
{
    std::erase_if(unused_since_, [&](const auto& known) {
        return std::ranges::find(sets.replaced, known.first, &ReplacedKey::name) == sets.replaced.end();
    });
    auto next = std::make_shared<const KeySets>(std::move(sets));
    const std::lock_guard lock{mutex_};
    sets_.swap(next);
    version_.fetch_add(1, std::memory_order_release);
}

} // namespace sallyport::keyholder
