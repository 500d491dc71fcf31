#include "keyholder/key_ring.hpp"

#include <array>
#include <limits>
#include <thread>

#include "support/catch.hpp"

using namespace sallyport::keyholder;

namespace {

std::shared_ptr<const KeySet> set_of(const std::vector<std::string>& hashes)
{
    KeySet set;
    for (const std::string& hash : hashes) {
        KeyPair pair;
        pair.facts.spki_sha256 = hash;
        set.push_back(std::make_shared<const KeyPair>(std::move(pair)));
    }
    return std::make_shared<const KeySet>(std::move(set));
}

} // namespace

TEST_CASE("A key's name is its index and the beginning of its public half's hash", "[keyholder][ring]")
{
    const auto set = set_of({"abcde1230000"});
    CHECK(key_name(0, *(*set)[0]) == 0xabcde000U);
    CHECK(key_name(0xfff, *(*set)[0]) == 0xabcdefffU);
}

TEST_CASE("A current key is asked before a replaced one, and a successor answers for one that is gone",
          "[keyholder][ring]")
{
    KeyRing ring;
    CHECK(ring.sets()->find(0) == nullptr);
    const auto old_set = set_of({"aaaaa", "bbbbb", "ccccc"});
    const auto new_set = set_of({"aaaaa", "ddddd"});
    ring.replace(old_set, 0);
    ring.replace(new_set, 0);
    const auto sets = ring.sets();
    CHECK(sets->find(0xaaaaa000U) == (*new_set)[0]);
    CHECK(sets->find(0xbbbbb001U) == (*old_set)[1]);
    CHECK(sets->find(0xddddd001U) == (*new_set)[1]);
    CHECK(sets->find(0xeeeee001U) == (*new_set)[1]);
    CHECK(sets->find(0xccccc002U) == (*old_set)[2]);
    CHECK(sets->find(0xeeeee002U) == nullptr);
    CHECK(sets->find(0xbbbbb000U) == (*new_set)[0]);
}

TEST_CASE("A replaced key that nobody uses stays for its time, and is then let go", "[keyholder][ring]")
{
    KeyRing ring;
    CHECK(ring.forgets_at() == std::numeric_limits<std::int64_t>::max());
    ring.forget_replaced({}, 5);
    auto first = set_of({"aaaaa"});
    const std::weak_ptr<const KeyPair> watched = first->front();
    ring.replace(std::move(first), 100);
    CHECK(ring.forgets_at() == std::numeric_limits<std::int64_t>::max());

    ring.replace(set_of({"bbbbb"}), 200);
    CHECK(ring.forgets_at() == 200 + kReplacedKeysLife);
    ring.forget_replaced({}, 200 + kReplacedKeysLife - 1);
    CHECK_FALSE(watched.expired());
    ring.forget_replaced({}, 200 + kReplacedKeysLife);
    CHECK(watched.expired());
    CHECK(ring.sets()->current != nullptr);
    CHECK(ring.forgets_at() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("A replaced key that is in use stays, and its time begins with its end of use", "[keyholder][ring]")
{
    KeyRing ring;
    ring.replace(set_of({"aaaaa"}), 0);
    ring.replace(set_of({"bbbbb"}), 0);
    const std::array<std::uint32_t, 1> used{0xaaaaa000U};
    for (const std::int64_t now : {kReplacedKeysLife, 100 * kReplacedKeysLife})
        ring.forget_replaced(used, now);
    CHECK(ring.sets()->replaced.size() == 1);
    ring.forget_replaced({}, 101 * kReplacedKeysLife - 1);
    CHECK(ring.sets()->replaced.size() == 1);
    ring.forget_replaced({}, 101 * kReplacedKeysLife);
    CHECK(ring.sets()->replaced.empty());
}

TEST_CASE("However fast keys are replaced, few stay, and of them those in use", "[keyholder][ring]")
{
    KeyRing ring;
    const auto hash_of = [](int i) { return std::to_string(10000 + i); };
    ring.replace(set_of({hash_of(0), "fffff"}), 0);
    const std::array<std::uint32_t, 1> used{0x10000000U};
    for (int i = 1; i <= 1000; ++i) {
        ring.replace(set_of({hash_of(i), "fffff"}), 0);
        ring.forget_replaced(used, 0);
    }
    const auto sets = ring.sets();
    CHECK(sets->replaced.size() == kReplacedKeysMax);
    CHECK(sets->find(0x10000000U)->facts.spki_sha256 == hash_of(0));
    CHECK(sets->replaced.front().pair->facts.spki_sha256 == hash_of(999));
    CHECK(sets->find(0x10500000U)->facts.spki_sha256 == hash_of(1000));

    // A key that comes back is no replaced one any more.
    ring.replace(set_of({hash_of(0), "fffff"}), 0);
    CHECK(ring.sets()->find(0x10000000U) == ring.sets()->current->front());
    ring.forget_replaced({}, kReplacedKeysLife);
    CHECK(ring.sets()->replaced.empty());
}

TEST_CASE("Every change shows in the version, and nothing else does", "[keyholder][ring]")
{
    KeyRing ring;
    const auto before = ring.version();
    ring.replace(set_of({"aaaaa"}), 0);
    const auto after = ring.version();
    CHECK(before != after);
    CHECK(ring.version() == after);
    ring.replace(set_of({"bbbbb"}), 0);
    ring.forget_replaced({}, 1);
    CHECK(ring.version() == after + 1);
    ring.forget_replaced({}, kReplacedKeysLife);
    CHECK(ring.version() == after + 2);
}

TEST_CASE("Threads see whole sets while they are replaced", "[keyholder][ring][threads]")
{
    KeyRing ring;
    ring.replace(set_of({"00000", "00000"}), 0);
    std::atomic<bool> mixed{false};
    std::atomic<bool> done{false};
    std::jthread reader{[&] {
        while (!done) {
            const auto sets = ring.sets();
            if (key_name(0, *(*sets->current)[0]) != key_name(0, *(*sets->current)[1])) mixed = true;
        }
    }};
    for (int i = 1; i < 2000; ++i) {
        const std::string hash = std::to_string(10000 + i);
        ring.replace(set_of({hash, hash}), i);
    }
    done = true;
    reader.join();
    CHECK_FALSE(mixed);
}
