#include "keyholder/served_worker.hpp"

#include <poll.h>

#include "support/catch.hpp"

#include "texts.hpp"
#include "vault.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using namespace std::chrono_literals;
using test_vault::Filled;

namespace {

/// A worker's ends, and the keyholder's side of it.
struct Rig {
    explicit Rig(const Vault& vault, int shards = 2)
    {
        std::vector<UniqueFd> theirs;
        for (int i = 0; i <= shards; ++i) {
            auto [near, far] = sys::Channel::pair().value();
            REQUIRE(near.set_timeout(5s).has_value());
            ours.push_back(std::move(near));
            theirs.push_back(far.release());
        }
        served = ServedWorker::start(vault, std::move(theirs));
    }

    [[nodiscard]] sys::Channel& supply() { return ours[0]; }
    [[nodiscard]] sys::Channel& sign(std::size_t shard) { return ours[shard + 1]; }

    /// Whether the loop would be woken for this worker, without waiting for ever.
    [[nodiscard]] bool wakes() const
    {
        pollfd watched{.fd = served->fd(), .events = POLLIN, .revents = 0};
        return poll(&watched, 1, 5000) == 1;
    }

    std::vector<sys::Channel> ours;
    std::unique_ptr<ServedWorker> served;
};

ipc::Sign good_request(std::uint32_t sequence)
{
    return {sequence, 0, ipc::SignatureScheme::ecdsa_sha256, texts::tls13(32)};
}

bool signs(sys::Channel& channel)
{
    if (!channel.send(ipc::encode(good_request(5)))) return false;
    std::array<std::byte, 4096> room;
    const auto received = channel.receive(room);
    if (!received || received->size == 0) return false;
    const auto signature = ipc::decode<ipc::Signature>(std::span{room}.first(received->size));
    return signature && signature->sequence == 5 && !signature->signature.empty();
}

bool has_ended(sys::Channel& channel)
{
    std::array<std::byte, 4096> room;
    const auto received = channel.receive(room);
    return received ? received->size == 0 : received.error().fault == Fault::reset;
}

} // namespace

TEST_CASE("Every shard has a thread that signs for it", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault, 3};
    for (int round = 0; round < 3; ++round)
        for (const std::size_t shard : {0, 1, 2})
            CHECK(signs(rig.sign(shard)));
}

TEST_CASE("Shards are answered at the same time, while keys are replaced", "[keyholder][worker][threads]")
{
    Filled filled;
    Rig rig{filled.vault, 2};
    std::array<int, 2> signed_by{};
    {
        std::vector<std::jthread> shards;
        for (const std::size_t shard : {0, 1})
            shards.emplace_back([&, shard] {
                for (int i = 0; i < 50; ++i)
                    signed_by[shard] += signs(rig.sign(shard)) ? 1 : 0;
            });
        for (int i = 0; i < 5; ++i)
            filled.vault.keys.replace(test_vault::set_of({"EC P-256"}), i);
    }
    CHECK(signed_by == std::array{50, 50});
}

TEST_CASE("The supply channel is answered by whoever waits on it", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    REQUIRE(rig.supply().send(ipc::encode(ipc::DescribeCertificate{1})).has_value());
    REQUIRE(rig.wakes());
    REQUIRE(rig.served->answer_supply());
    std::array<std::byte, 4096> room;
    const auto received = rig.supply().receive(room);
    const auto certificate = ipc::decode<ipc::Certificate>(std::span{room}.first(received->size));
    REQUIRE(certificate.has_value());
    CHECK(certificate->chain == filled.pair(1).chain);
}

TEST_CASE("A notice reaches the worker", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    REQUIRE(rig.served->notify({.certificates = false, .tickets = true}));
    std::array<std::byte, 16> room;
    const auto received = rig.supply().receive(room);
    const auto changed = ipc::decode<ipc::Changed>(std::span{room}.first(received->size));
    REQUIRE(changed.has_value());
    CHECK_FALSE(changed->certificates);
    CHECK(changed->tickets);
}

TEST_CASE("One unlawful request on a sign channel ends all channels of that worker, and of no other",
          "[keyholder][worker]")
{
    const Filled filled;
    Rig captured{filled.vault};
    Rig other{filled.vault};
    SECTION("a request of another channel")
    {
        REQUIRE(captured.sign(0).send(ipc::encode(ipc::DescribeCertificate{0})).has_value());
    }
    SECTION("an oversized one")
    {
        REQUIRE(captured.sign(0).send(std::vector<std::byte>(kRequestRoom + 1)).has_value());
    }
    SECTION("one with a descriptor")
    {
        const std::array descriptors{0};
        REQUIRE(captured.sign(0).send(ipc::encode(good_request(1)), descriptors).has_value());
    }
    CHECK(has_ended(captured.sign(0)));
    CHECK(has_ended(captured.sign(1)));
    CHECK(has_ended(captured.supply()));
    REQUIRE(captured.wakes());
    CHECK_FALSE(captured.served->answer_supply());
    CHECK(signs(other.sign(0)));
    CHECK(signs(other.sign(1)));
}

TEST_CASE("An unlawful request on the supply channel ends that worker", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    REQUIRE(rig.supply().send(ipc::encode(good_request(1))).has_value());
    REQUIRE(rig.wakes());
    CHECK_FALSE(rig.served->answer_supply());
    rig.served.reset();
    CHECK(has_ended(rig.sign(0)));
    CHECK(has_ended(rig.sign(1)));
}

TEST_CASE("A refusal ends nothing", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    for (int i = 0; i < 30; ++i) {
        REQUIRE(rig.sign(0).send(ipc::encode(ipc::Sign{1, 0, {}, {}})).has_value());
        std::array<std::byte, 64> room;
        const auto received = rig.sign(0).receive(room);
        REQUIRE(received.has_value());
        CHECK(ipc::decode<ipc::Signature>(std::span{room}.first(received->size))->signature.empty());
    }
    CHECK(signs(rig.sign(0)));
}

TEST_CASE("A shard that goes away takes no other with it", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    rig.sign(0) = {};
    CHECK(signs(rig.sign(1)));
}

TEST_CASE("A worker that died is let go, threads and all", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    rig.ours.clear();
    REQUIRE(rig.wakes());
    CHECK_FALSE(rig.served->answer_supply());
    CHECK_FALSE(rig.served->notify({.certificates = true, .tickets = false}));
    rig.served.reset();
    SUCCEED("the threads were joined");
}

TEST_CASE("A worker that reads no answer does not hold the keyholder", "[keyholder][worker]")
{
    const Filled filled;
    Rig rig{filled.vault};
    const ipc::Bytes request = ipc::encode(ipc::DescribeCertificate{0});
    bool served = true;
    for (int i = 0; i < 10'000 && served; ++i) {
        REQUIRE(rig.supply().send(request).has_value());
        served = rig.served->answer_supply();
    }
    CHECK_FALSE(served);
}
