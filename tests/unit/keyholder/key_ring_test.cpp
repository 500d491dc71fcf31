#include "keyholder/key_ring.hpp"

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

TEST_CASE("The current set is asked before the replaced one", "[keyholder][ring]")
{
    const auto old_set = set_of({"aaaaa", "bbbbb", "ccccc"});
    const auto new_set = set_of({"aaaaa", "ddddd"});
    const KeySets sets{new_set, old_set};
    CHECK(sets.find(0xaaaaa000U) == (*new_set)[0]);
    CHECK(sets.find(0xbbbbb001U) == (*old_set)[1]);
    CHECK(sets.find(0xddddd001U) == (*new_set)[1]);
    CHECK(sets.find(0xeeeee001U) == (*new_set)[1]);
    CHECK(sets.find(0xccccc002U) == (*old_set)[2]);
    CHECK(sets.find(0xeeeee002U) == nullptr);
    CHECK(sets.find(0xbbbbb000U) == (*new_set)[0]);
    CHECK(KeySets{}.find(0) == nullptr);
}

TEST_CASE("A replaced set stays for its time, and is then let go", "[keyholder][ring]")
{
    KeyRing ring;
    CHECK(ring.forgets_at() == std::numeric_limits<std::int64_t>::max());
    CHECK_FALSE(ring.forget_replaced(5));
    auto first = set_of({"aaaaa"});
    const std::weak_ptr<const KeySet> watched = first;
    ring.replace(std::move(first), 100);
    CHECK(ring.forgets_at() == std::numeric_limits<std::int64_t>::max());

    ring.replace(set_of({"bbbbb"}), 200);
    CHECK(ring.forgets_at() == 200 + kReplacedKeysLife);
    CHECK_FALSE(ring.forget_replaced(200 + kReplacedKeysLife - 1));
    CHECK_FALSE(watched.expired());
    CHECK(ring.forget_replaced(200 + kReplacedKeysLife));
    CHECK(watched.expired());
    CHECK(ring.sets()->current != nullptr);
}

TEST_CASE("Every change shows in the version", "[keyholder][ring]")
{
    KeyRing ring;
    const auto before = ring.version();
    ring.replace(set_of({"aaaaa"}), 0);
    const auto after = ring.version();
    CHECK(before != after);
    CHECK(ring.version() == after);
    ring.replace(set_of({"bbbbb"}), 0);
    ring.forget_replaced(kReplacedKeysLife);
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
