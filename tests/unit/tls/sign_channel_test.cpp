#include "sallyport/tls/sign_channel.hpp"

#include <future>

#include "fake_keyholder.hpp"
#include "pki.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;
using std::chrono::milliseconds;

namespace {

constexpr auto kScheme = ipc::SignatureScheme::ecdsa_sha256;
const ipc::Bytes kText(130, std::byte{0x20});

std::vector<EVP_PKEY*> one_key()
{
    return {key_of(KeyType::ec256)};
}

Result<ipc::Bytes> ask(SignChannel& channel)
{
    return channel.sign(0, kScheme, kText);
}

/// For answers that come, however busy the machine is.
constexpr SignPatience kLong{};
/// The same, where no replacement comes.
constexpr SignPatience kAlone{.replacement = milliseconds{50}};

} // namespace

TEST_CASE("A request arrives as it was made and its signature comes back", "[tls][sign]")
{
    FakeKeyholder keyholder{one_key()};
    SignChannel channel{keyholder.worker_end()};

    const auto first = ask(channel);
    const auto second = channel.sign(0, ipc::SignatureScheme::ecdsa_sha384, kText);

    REQUIRE(first);
    REQUIRE(second);
    const std::vector<ipc::Sign> requests = keyholder.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[0].text == kText);
    CHECK(requests[0].certificate == 0);
    CHECK(requests[0].scheme == kScheme);
    CHECK(requests[1].scheme == ipc::SignatureScheme::ecdsa_sha384);
    CHECK(requests[0].sequence != requests[1].sequence);
    CHECK(channel.counts().made == 2);
}

TEST_CASE("A refusal is forbidden, counted, and not asked again", "[tls][sign]")
{
    FakeKeyholder keyholder{one_key(), FakeKeyholder::refuse()};
    SignChannel channel{keyholder.worker_end()};
    const auto refused = ask(channel);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::forbidden);
    CHECK(refused.error().side == Side::self);
    CHECK(keyholder.requests().size() == 1);
    CHECK(channel.counts().refused == 1);
    CHECK(channel.counts().failed == 0);
}

TEST_CASE("An answer to an older request is skipped", "[tls][sign]")
{
    FakeKeyholder keyholder{one_key(), [](FakeKeyholder& k, const ipc::Sign& request) {
                                k.answer(request.sequence - 1, {std::byte{1}});
                                k.answer(request.sequence - 2, {});
                                k.answer(request.sequence, {std::byte{7}});
                                return true;
                            }};
    SignChannel channel{keyholder.worker_end()};
    const auto signature = ask(channel);
    REQUIRE(signature);
    CHECK(*signature == ipc::Bytes{std::byte{7}});
}

TEST_CASE("An answer that comes after its time-out does not pass for the next one's", "[tls][sign]")
{
    // The first request is answered together with the second, as by a keyholder that was stopped meanwhile.
    std::atomic<std::uint32_t> kept{0};
    FakeKeyholder keyholder{one_key(), [&](FakeKeyholder& k, const ipc::Sign& request) {
                                if (kept == 0) {
                                    kept = request.sequence;
                                    return true;
                                }
                                k.answer(kept, {std::byte{1}});
                                k.answer(request.sequence, {std::byte{2}});
                                return true;
                            }};
    SignChannel channel{keyholder.worker_end(),
                        {.answer = milliseconds{50}, .replacement = milliseconds{1}, .suspect = milliseconds{2000}}};
    const auto late = ask(channel);
    REQUIRE_FALSE(late);
    CHECK(late.error().fault == Fault::timeout);
    const auto next = ask(channel);
    REQUIRE(next);
    CHECK(*next == ipc::Bytes{std::byte{2}});
    CHECK(channel.counts().failed == 1);
    CHECK(channel.counts().made == 1);
}

TEST_CASE("What no keyholder of this build says is malformed", "[tls][sign]")
{
    const ipc::Bytes wrong =
        GENERATE(ipc::encode(ipc::DescribeTickets{}), ipc::encode(ipc::Signature{9, {}}), ipc::Bytes{std::byte{7}});
    FakeKeyholder keyholder{one_key(), [&](FakeKeyholder& k, const ipc::Sign&) {
                                k.send(wrong);
                                return true;
                            }};
    SignChannel channel{keyholder.worker_end(), kAlone};
    const auto answer = ask(channel);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().fault == Fault::malformed);
}

TEST_CASE("A request whose keyholder dies of it is sent again to the next one, once", "[tls][sign]")
{
    FakeKeyholder dying{one_key(), FakeKeyholder::die()};
    FakeKeyholder next{one_key()};
    SignChannel channel{dying.worker_end(), kLong};
    sys::Channel replacement = next.worker_end();

    std::future<Result<ipc::Bytes>> signing = std::async(std::launch::async, [&] { return ask(channel); });
    while (dying.requests().empty())
        std::this_thread::yield();
    channel.replace(std::move(replacement));

    CHECK(signing.get().has_value());
    CHECK(next.requests().size() == 1);
    CHECK(channel.counts().resent == 1);
    CHECK(channel.counts().made == 1);
    CHECK(channel.counts().failed == 0);
}

TEST_CASE("A request that kills two keyholders is given up", "[tls][sign]")
{
    FakeKeyholder first{one_key(), FakeKeyholder::die()};
    FakeKeyholder second{one_key(), FakeKeyholder::die()};
    FakeKeyholder third{one_key()};
    SignChannel channel{first.worker_end(), kLong};
    sys::Channel replacement = second.worker_end();

    std::future<Result<ipc::Bytes>> signing = std::async(std::launch::async, [&] { return ask(channel); });
    while (first.requests().empty())
        std::this_thread::yield();
    channel.replace(std::move(replacement));

    const auto given_up = signing.get();
    REQUIRE_FALSE(given_up);
    CHECK(given_up.error().fault == Fault::reset);
    CHECK(channel.counts().resent == 1);
    CHECK(channel.counts().failed == 1);

    channel.replace(third.worker_end());
    CHECK(ask(channel).has_value());
}

TEST_CASE("A replacement wakes a signer whose keyholder hangs", "[tls][sign]")
{
    FakeKeyholder hanging{one_key(), FakeKeyholder::hang()};
    FakeKeyholder next{one_key()};
    // Nothing but the replacement can end this wait within the test's time.
    SignChannel channel{hanging.worker_end(), {.answer = milliseconds{600'000}, .replacement = milliseconds{600'000}}};
    sys::Channel replacement = next.worker_end();

    std::future<Result<ipc::Bytes>> signing = std::async(std::launch::async, [&] { return ask(channel); });
    while (hanging.requests().empty())
        std::this_thread::yield();
    channel.replace(std::move(replacement));

    CHECK(signing.get().has_value());
}

TEST_CASE("A replacement that came between two requests is used without a resend", "[tls][sign]")
{
    FakeKeyholder next{one_key()};
    auto dead = sys::Channel::pair().value();
    dead.second = sys::Channel{};
    SignChannel channel{std::move(dead.first), kLong};
    channel.replace(next.worker_end());
    CHECK(ask(channel).has_value());
    CHECK(channel.counts().resent == 0);
}

TEST_CASE("After one vain wait a dead keyholder costs the shard nothing", "[tls][sign]")
{
    auto dead = sys::Channel::pair().value();
    dead.second = sys::Channel{};
    SignChannel channel{std::move(dead.first),
                        {.answer = milliseconds{50}, .replacement = milliseconds{1000}, .suspect = milliseconds{50}}};
    CHECK_FALSE(ask(channel).has_value()); // this one waits for a replacement

    const auto begin = std::chrono::steady_clock::now();
    const auto second = ask(channel);
    const auto took = std::chrono::steady_clock::now() - begin;
    REQUIRE_FALSE(second);
    CHECK(second.error().fault == Fault::reset);
    CHECK(took < milliseconds{1000}); // as long as it would wait once more
    CHECK(channel.counts().failed == 2);
}

TEST_CASE("A hung keyholder is trusted again once it answers", "[tls][sign]")
{
    std::atomic<bool> hangs{true};
    FakeKeyholder keyholder{one_key(), [&](FakeKeyholder& k, const ipc::Sign& request) {
                                if (!hangs) k.answer(request.sequence, {std::byte{1}});
                                return true;
                            }};
    SignChannel channel{keyholder.worker_end(),
                        {.answer = milliseconds{100}, .replacement = milliseconds{1}, .suspect = milliseconds{2000}}};
    CHECK_FALSE(ask(channel).has_value());
    hangs = false;
    CHECK(ask(channel).has_value());
    hangs = true;
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(ask(channel).has_value());
    // The patience of a trusted one, not that of a suspect.
    CHECK(std::chrono::steady_clock::now() - begin < milliseconds{1500});
}

TEST_CASE("The numbers of requests may wrap around", "[tls][sign]")
{
    // The keyholder's view: an answer one below 0 is older than 0, not 2^32 ahead of it.
    FakeKeyholder keyholder{one_key(), [](FakeKeyholder& k, const ipc::Sign& request) {
                                k.answer(request.sequence - 0x7fffffffU, {std::byte{1}});
                                k.answer(request.sequence, {std::byte{2}});
                                return true;
                            }};
    SignChannel channel{keyholder.worker_end()};
    const auto signature = ask(channel);
    REQUIRE(signature);
    CHECK(*signature == ipc::Bytes{std::byte{2}});
}
