#include "keyholder/tickets.hpp"

#include <array>
#include <set>

#include <unistd.h>

#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

constexpr std::int64_t kNow = 1'800'000'000; // epoch 62500 begins here

std::array<std::byte, kTicketSecretSize> counting_secret()
{
    std::array<std::byte, kTicketSecretSize> secret{};
    for (std::size_t i = 0; i < secret.size(); ++i)
        secret[i] = static_cast<std::byte>(i);
    return secret;
}

template <std::size_t N>
std::string hex(const std::array<std::byte, N>& bytes)
{
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::byte b : bytes) {
        text += kDigits[std::to_integer<std::size_t>(b) >> 4U];
        text += kDigits[std::to_integer<std::size_t>(b) & 15U];
    }
    return text;
}

std::vector<std::string> names_at(std::int64_t now)
{
    std::vector<std::string> names;
    for (const ipc::TicketKey& key : ticket_ring(counting_secret(), now))
        names.push_back(hex(key.name));
    return names;
}

} // namespace

TEST_CASE("The ticket keys are those of another implementation of HKDF", "[keyholder][tickets]")
{
    // Python's hmac: HKDF(secret 00…1f, info "sallyport session tickets 1" and the epoch in 8 bytes, big-endian).
    const auto ring = ticket_ring(counting_secret(), kNow);
    REQUIRE(ring.size() == 3);
    CHECK(hex(ring[0].name) == "c4bc951b50c1b88eb1ca59e4b38cccee");
    CHECK(hex(ring[0].aes) == "d23c10ad3cdb4da40bfa0604487151625b3ef30cb81d6467243947c61d7d9a0d");
    CHECK(hex(ring[0].hmac) == "35227ee68dcde1179231b7ce7756fd3259f42d488889f9f89e55f2b1c044d23f");
    CHECK(hex(ring[1].name) == "8210cb990955777e5bdce880bea1812e");
    CHECK(hex(ring[1].hmac) == "6956283aaf7ba15715254e4ae8a056f090da740a7c68371e779050f0e83cbd21");
    CHECK(hex(ring[2].name) == "4e611e98d5eb593e0f64cd6676ca44df");
    CHECK(hex(ring[2].hmac) == "2580a371ee72c4935a9e68b699455422be7440f2537f16177ea39d67f4a21d0a");
}

TEST_CASE("A ring turns once in eight hours", "[keyholder][tickets]")
{
    const auto first = names_at(kNow);
    CHECK(names_at(kNow + kTicketEpoch - 1) == first);
    const auto second = names_at(kNow + kTicketEpoch);
    // current, previous, next
    CHECK(second[0] == first[2]);
    CHECK(second[1] == first[0]);
    CHECK(names_at(kNow - 1)[0] == first[1]);
    CHECK(kTicketEpoch == 8 * 3600);
}

TEST_CASE("No part of any key is equal to another", "[keyholder][tickets]")
{
    std::set<std::string> seen;
    for (const ipc::TicketKey& key : ticket_ring(counting_secret(), kNow)) {
        CHECK(seen.insert(hex(key.name)).second);
        CHECK(seen.insert(hex(key.aes)).second);
        CHECK(seen.insert(hex(key.hmac)).second);
    }
    auto other = counting_secret();
    other[31] = std::byte{0};
    CHECK(seen.insert(hex(ticket_ring(other, kNow)[0].aes)).second);
}

TEST_CASE("An empty file is given a secret once, and every keyholder after reads the same", "[keyholder][tickets]")
{
    const auto file = sys::empty_file("tickets").value();
    const auto drawn = take_ticket_secret(file.get());
    REQUIRE(drawn.has_value());
    CHECK(drawn->bytes().size() == kTicketSecretSize);
    CHECK(sys::sealed(file.get()).value());
    const auto read = take_ticket_secret(file.get());
    REQUIRE(read.has_value());
    CHECK(read->text() == drawn->text());

    const auto other = sys::empty_file("tickets").value();
    CHECK(take_ticket_secret(other.get())->text() != drawn->text());
}

TEST_CASE("A file of another size is no secret", "[keyholder][tickets]")
{
    for (const std::size_t size : {1, 31, 33, 64}) {
        const std::vector<std::byte> content(size, std::byte{1});
        const auto file = sys::sealed_copy(content).value();
        const auto read = take_ticket_secret(file.get());
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code == ExitCode::os_error);
        CHECK_THAT(read.error().text, Catch::Contains("another size"));
    }
    CHECK_FALSE(take_ticket_secret(-1).has_value());
}
