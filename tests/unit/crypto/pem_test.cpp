#include "sallyport/crypto/pem.hpp"

#include "../keyholder/pki.hpp"
#include "support/catch.hpp"

using namespace sallyport::crypto;

TEST_CASE("PEM blocks are found wherever they stand", "[crypto][pem]")
{
    const std::string text = "Bag Attributes\n  friendlyName: x -----BEGIN NOTHING-----\n"
                             "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
                             "words\r\n-----BEGIN EC PRIVATE KEY-----\r\nBBBB\r\n-----END EC PRIVATE KEY-----";
    const auto blocks = pem_blocks(text);
    REQUIRE(blocks.has_value());
    REQUIRE(blocks->size() == 2);
    CHECK((*blocks)[0].label == "CERTIFICATE");
    CHECK((*blocks)[0].text == "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
    CHECK((*blocks)[1].label == "EC PRIVATE KEY");
    CHECK((*blocks)[1].text.ends_with("BBBB\r\n-----END EC PRIVATE KEY-----"));
    CHECK((*blocks)[1].text.data() + (*blocks)[1].text.size() == text.data() + text.size());
}

TEST_CASE("A text without PEM has no blocks", "[crypto][pem]")
{
    const std::string text = GENERATE(as<std::string>{}, "", "\n", "not PEM", " -----BEGIN CERTIFICATE-----\n",
                                      std::string("\x30\x82\x01\x00", 4));
    const auto blocks = pem_blocks(text);
    REQUIRE(blocks.has_value());
    CHECK(blocks->empty());
}

TEST_CASE("A half-written PEM file is an error, never a shorter chain", "[crypto][pem]")
{
    const std::string text =
        GENERATE(as<std::string>{}, "-----BEGIN CERT", "-----BEGIN CERTIFICATE-----\nAAAA\n",
                 "-----BEGIN A-----\n-----END A-----\n-----BEGIN A-----\nAAAA",
                 "-----BEGIN A-----\nAA\n-----END B-----\n", "-----BEGIN A-----\nAA -----END A-----\n");
    CHECK_FALSE(pem_blocks(text).has_value());
}

TEST_CASE("Labels tell certificates and keys of every form apart", "[crypto][pem]")
{
    const auto [label, certificate, key] = GENERATE(table<std::string, bool, bool>({
        {"CERTIFICATE", true, false},
        {"X509 CERTIFICATE", true, false},
        {"TRUSTED CERTIFICATE", true, false},
        {"PRIVATE KEY", false, true},
        {"ENCRYPTED PRIVATE KEY", false, true},
        {"RSA PRIVATE KEY", false, true},
        {"EC PRIVATE KEY", false, true},
        {"EC PARAMETERS", false, false},
        {"PUBLIC KEY", false, false},
        {"CERTIFICATE REQUEST", false, false},
    }));
    CAPTURE(label);
    CHECK(is_certificate({label, ""}) == certificate);
    CHECK(is_private_key({label, ""}) == key);
}

TEST_CASE("A chain keeps its order and leaves the key aside", "[crypto][pem]")
{
    const pki::Pair leaf{"EC P-256"};
    const pki::Pair issuer{"EC P-384"};
    const std::string text = pki::pem(leaf.certificate) + pki::pem(leaf.key) + pki::pem(issuer.certificate);
    const auto chain = certificate_chain(pem_blocks(text).value());
    REQUIRE(chain.has_value());
    REQUIRE(chain->size() == 2);
    CHECK((*chain)[0] == pki::der(leaf.certificate));
    CHECK((*chain)[1] == pki::der(issuer.certificate));
}

TEST_CASE("What is no certificate is told from a missing one", "[crypto][pem]")
{
    const std::string damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    CHECK(certificate_chain(pem_blocks(damaged).value()).error().starts_with("certificate 1 cannot be decoded"));
    CHECK(certificate_chain({}).error() == "it holds no certificate in PEM form");
}

TEST_CASE("An encrypted certificate asks no terminal for a passphrase", "[crypto][pem]")
{
    const std::string text = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                             "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                             "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n";
    CHECK_FALSE(certificate_chain(pem_blocks(text).value()).has_value());
}
