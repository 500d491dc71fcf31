#include "keyholder/rules.hpp"

#include "support/catch.hpp"

#include "texts.hpp"
#include "vault.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using test_vault::Filled;

namespace {

template <typename Message>
Message answered(ChannelKind channel, Desk& desk, const ipc::Bytes& request)
{
    const auto bytes = answer(channel, desk, request);
    REQUIRE(bytes.has_value());
    auto message = ipc::decode<Message>(*bytes);
    REQUIRE(message.has_value());
    return *std::move(message);
}

ipc::Bytes sign_request(ipc::Bytes text, ipc::SignatureScheme scheme = ipc::SignatureScheme::ecdsa_sha256)
{
    return ipc::encode(ipc::Sign{7, 0, scheme, std::move(text)});
}

} // namespace

TEST_CASE("A certificate is described without its key", "[keyholder][rules]")
{
    const Filled filled;
    Desk desk{filled.vault};
    const auto certificate =
        answered<ipc::Certificate>(ChannelKind::supply, desk, ipc::encode(ipc::DescribeCertificate{1}));
    CHECK(certificate.index == 1);
    CHECK(certificate.key == key_name(1, filled.pair(1)));
    CHECK(certificate.chain == filled.pair(1).chain);
    CHECK(certificate.private_key.empty());
}

TEST_CASE("Only with keys in the worker the key is handed over", "[keyholder][rules]")
{
    const Filled filled{ipc::KeyPlace::in_worker};
    Desk desk{filled.vault};
    const auto certificate =
        answered<ipc::Certificate>(ChannelKind::supply, desk, ipc::encode(ipc::DescribeCertificate{0}));
    const auto* at = reinterpret_cast<const unsigned char*>(certificate.private_key.data());
    const crypto::KeyHandle key{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(certificate.private_key.size()))};
    REQUIRE(key);
    CHECK(EVP_PKEY_eq(key.get(), filled.pair(0).key.get()) == 1);
}

TEST_CASE("The ticket keys are described for the clock's time", "[keyholder][rules]")
{
    Filled filled;
    Desk desk{filled.vault};
    const ipc::Bytes request = ipc::encode(ipc::DescribeTickets{});
    const auto first = answered<ipc::Tickets>(ChannelKind::supply, desk, request);
    filled.time += kTicketEpoch;
    const auto second = answered<ipc::Tickets>(ChannelKind::supply, desk, request);
    REQUIRE(first.keys.size() == 3);
    CHECK(first.keys[2].name == second.keys[0].name);
}

TEST_CASE("A signature carries the number of its request", "[keyholder][rules]")
{
    const Filled filled;
    Desk desk{filled.vault};
    const auto signature = answered<ipc::Signature>(ChannelKind::sign, desk, sign_request(texts::tls13(32)));
    CHECK(signature.sequence == 7);
    CHECK_FALSE(signature.signature.empty());
}

TEST_CASE("What is refused is answered by an empty signature, and the channel goes on", "[keyholder][rules]")
{
    const Filled filled;
    Desk desk{filled.vault};
    using S = ipc::SignatureScheme;
    const ipc::Bytes request =
        GENERATE(sign_request(texts::bytes("hello")), sign_request({}), sign_request(texts::tls13(20)),
                 sign_request(texts::tls13(32), S::ecdsa_sha384), sign_request(texts::tls13(32), S::rsa_pss_sha256),
                 sign_request(texts::tls13(32), S{99}), ipc::encode(ipc::Sign{7, 2, S::ecdsa_sha256, texts::tls13(32)}),
                 sign_request(texts::bytes(std::string(kSignedTextMax, 'x'))));
    const auto signature = answered<ipc::Signature>(ChannelKind::sign, desk, request);
    CHECK(signature.sequence == 7);
    CHECK(signature.signature.empty());
    CHECK_FALSE(answered<ipc::Signature>(ChannelKind::sign, desk, sign_request(texts::tls13(32))).signature.empty());
}

TEST_CASE("Everything that is not a row is unlawful", "[keyholder][rules]")
{
    const Filled filled;
    Desk desk{filled.vault};
    const ipc::Bytes describe = ipc::encode(ipc::DescribeCertificate{0});
    const ipc::Bytes tickets = ipc::encode(ipc::DescribeTickets{});
    const ipc::Bytes sign = sign_request(texts::tls13(32));
    const auto with = [](ipc::Bytes bytes, std::size_t more) {
        bytes.resize(bytes.size() + more);
        return bytes;
    };
    const auto without_last = [](ipc::Bytes bytes) {
        bytes.pop_back();
        return bytes;
    };
    ipc::Bytes long_text = sign_request(texts::tls13(32));
    long_text[10] = std::byte{0xff}; // the low byte of the text's length

    struct Row {
        const char* what;
        ChannelKind channel;
        ipc::Bytes message;
    };
    const std::vector<Row> rows{
        {"nothing", ChannelKind::supply, {}},
        {"nothing, to sign", ChannelKind::sign, {}},
        {"sign on the supply channel", ChannelKind::supply, sign},
        {"describe on a sign channel", ChannelKind::sign, describe},
        {"adopt on a sign channel", ChannelKind::sign, ipc::encode(ipc::Adopt{{1}})},
        {"adopt, more than there can be", ChannelKind::supply,
         ipc::encode(ipc::Adopt{std::vector<std::uint32_t>(kSourcesMax + 1)})},
        {"adopt, cut", ChannelKind::supply, without_last(ipc::encode(ipc::Adopt{{1}}))},
        {"an answer: noted", ChannelKind::supply, ipc::encode(ipc::Noted{})},
        {"tickets on a sign channel", ChannelKind::sign, tickets},
        {"an answer: certificate", ChannelKind::supply, ipc::encode(ipc::Certificate{})},
        {"an answer: tickets", ChannelKind::supply, ipc::encode(ipc::Tickets{})},
        {"a notice", ChannelKind::supply, ipc::encode(ipc::Changed{})},
        {"an answer: signature", ChannelKind::sign, ipc::encode(ipc::Signature{})},
        {"kind 0", ChannelKind::supply, {std::byte{0}}},
        {"a kind that does not exist", ChannelKind::supply, {std::byte{99}}},
        {"an index that does not exist", ChannelKind::supply, ipc::encode(ipc::DescribeCertificate{2})},
        {"an index far away", ChannelKind::supply, ipc::encode(ipc::DescribeCertificate{0xffffffff})},
        {"describe, cut", ChannelKind::supply, without_last(describe)},
        {"describe, with more", ChannelKind::supply, with(describe, 1)},
        {"tickets, with more", ChannelKind::supply, with(tickets, 1)},
        {"sign, cut", ChannelKind::sign, without_last(sign)},
        {"sign, with more", ChannelKind::sign, with(sign, 1)},
        {"sign, a text that claims to be longer", ChannelKind::sign, long_text},
        {"sign, the kind alone", ChannelKind::sign, {std::byte{static_cast<std::uint8_t>(ipc::KeyMessage::sign)}}},
        {"sign, oversized", ChannelKind::sign, sign_request(texts::bytes(std::string(kSignedTextMax + 1, 'x')))},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const auto result = answer(row.channel, desk, row.message);
        CHECK_FALSE(result.has_value());
        if (!result) CHECK_FALSE(result.error().empty());
    }
}

TEST_CASE("A worker is told of no certificate before there is one", "[keyholder][rules]")
{
    Vault vault;
    vault.clock = [] { return std::int64_t{0}; };
    Desk desk{vault};
    CHECK_FALSE(answer(ChannelKind::supply, desk, ipc::encode(ipc::DescribeCertificate{0})).has_value());
}

TEST_CASE("The size limit of every row is what its largest lawful message has", "[keyholder][rules]")
{
    const auto limit = [](ipc::KeyMessage kind) { return std::ranges::find(kRules, kind, &Rule::request)->size_max; };
    CHECK(limit(ipc::KeyMessage::sign) == sign_request(texts::tls12(24, 97)).size());
    CHECK(limit(ipc::KeyMessage::describe_certificate) == ipc::encode(ipc::DescribeCertificate{}).size());
    CHECK(limit(ipc::KeyMessage::describe_tickets) == ipc::encode(ipc::DescribeTickets{}).size());
    for (const Rule& rule : kRules)
        CHECK(rule.size_max < kRequestRoom);
}

TEST_CASE("What is described may be used, until the worker says what it uses", "[keyholder][rules]")
{
    Filled filled;
    Desk desk{filled.vault};
    const auto ask = [&](const auto& request) {
        return answer(ChannelKind::supply, desk, ipc::encode(request)).has_value();
    };
    REQUIRE(ask(ipc::DescribeCertificate{0}));
    REQUIRE(ask(ipc::DescribeCertificate{1}));
    const std::uint32_t first = key_name(0, filled.pair(0));
    const std::uint32_t other = key_name(1, filled.pair(1));
    CHECK(desk.claims.keys() == std::vector{first, other});

    filled.vault.keys.replace(test_vault::set_of({"EC P-256", "Ed25519"}), filled.time);
    REQUIRE(ask(ipc::DescribeCertificate{0}));
    REQUIRE(ask(ipc::DescribeCertificate{0}));
    const std::uint32_t second = key_name(0, filled.pair(0));
    CHECK(desk.claims.keys() == std::vector{first, other, second});

    // A key that was never described is not claimed by naming it.
    REQUIRE(ask(ipc::Adopt{{second, other, 12345}}));
    CHECK(desk.claims.keys() == std::vector{other, second});
    REQUIRE(ask(ipc::Adopt{}));
    CHECK(desk.claims.keys().empty());
}
