#include "sallyport/crypto/certificate.hpp"

#include <array>
#include <cstdio>

#include "../keyholder/pki.hpp"
#include "support/catch.hpp"

using namespace sallyport::crypto;

TEST_CASE("The names are the DNS names of the certificate, in lower case", "[crypto][certificate]")
{
    const pki::Pair pair{"EC P-256",
                         {.common_name = "ignored.example",
                          .alternative_names = "DNS:WWW.Example.ORG,IP:10.0.0.1,DNS:*.example.org,IP:::1,"
                                               "email:x@y.z"}};
    const CertificateFacts facts = facts_of(*pair.certificate);
    CHECK(facts.names == std::vector<std::string>{"www.example.org", "*.example.org"});
    CHECK(facts.addresses == std::vector<std::string>{"10.0.0.1", "::1"});
}

TEST_CASE("Without any alternative name the common name counts", "[crypto][certificate]")
{
    const auto [common, alternative, names] = GENERATE(table<std::string, std::string, std::vector<std::string>>({
        {"Old.Example", "", {"old.example"}},
        {"old.example", "IP:10.0.0.1", {}},
        {"", "", {}},
        {"two words", "", {}},
        {"line\nbreak", "", {}},
    }));
    const pki::Pair pair{"EC P-256", {.common_name = common, .alternative_names = alternative}};
    CHECK(facts_of(*pair.certificate).names == names);
}

TEST_CASE("The key's type is told in the operator's words", "[crypto][certificate]")
{
    const std::string type = GENERATE(as<std::string>{}, "RSA 2048", "EC P-256", "EC P-384", "EC P-521", "Ed25519");
    const pki::Pair pair{type};
    CHECK(key_type_of(*pair.key) == type);
    CHECK(facts_of(*pair.certificate).key_type == type);
}

TEST_CASE("The hash of the public key is that of its SubjectPublicKeyInfo", "[crypto][certificate]")
{
    const pki::Pair pair{"EC P-256"};
    unsigned char* spki = nullptr;
    const int size = i2d_PUBKEY(pair.key.get(), &spki);
    std::array<unsigned char, 32> digest{};
    EVP_Digest(spki, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(spki);
    std::string expected;
    for (const unsigned char byte : digest) {
        std::array<char, 3> hex{};
        std::snprintf(hex.data(), hex.size(), "%02x", byte);
        expected += hex.data();
    }
    CHECK(facts_of(*pair.certificate).spki_sha256 == expected);
}

TEST_CASE("The times are seconds since the epoch", "[crypto][certificate]")
{
    const pki::Pair pair{"Ed25519", {.days = 7}};
    const CertificateFacts facts = facts_of(*pair.certificate);
    CHECK(std::abs(facts.not_after - (pki::now() + 7 * 86400)) <= 5);
    CHECK(std::abs(facts.not_before - (pki::now() - 86400)) <= 5);
}

TEST_CASE("Only one whole certificate is parsed as one", "[crypto][certificate]")
{
    const pki::Pair pair{"EC P-256"};
    Der bytes = pki::der(pair.certificate);
    CHECK(parse_certificate(bytes).has_value());
    bytes.push_back(std::byte{0});
    CHECK_FALSE(parse_certificate(bytes).has_value());
    bytes.resize(bytes.size() - 2);
    CHECK_FALSE(parse_certificate(bytes).has_value());
    CHECK_FALSE(parse_certificate({}).has_value());
}

TEST_CASE("A shared handle keeps its object alive", "[crypto][handles]")
{
    KeyHandle key = pki::make_key("EC P-256");
    const KeyHandle second = share(key);
    key.reset();
    CHECK(key_type_of(*second) == "EC P-256");
    CHECK(share(key) == nullptr);
}
