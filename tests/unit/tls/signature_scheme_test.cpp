#include "tls/signature_scheme.hpp"

#include "support/catch.hpp"

using namespace sallyport::tls;
using Scheme = sallyport::ipc::SignatureScheme;

TEST_CASE("Key type, digest and padding together name one scheme or none", "[tls]")
{
    struct Row {
        KeyKind kind;
        Hash hash;
        Padding padding;
        std::optional<Scheme> expected;
    };
    const auto row = GENERATE(values<Row>({
        {KeyKind::ec, Hash::sha256, Padding::pkcs1, Scheme::ecdsa_sha256},
        {KeyKind::ec, Hash::sha384, Padding::pkcs1, Scheme::ecdsa_sha384},
        {KeyKind::ec, Hash::sha512, Padding::pkcs1, Scheme::ecdsa_sha512},
        {KeyKind::ec, Hash::none, Padding::pkcs1, std::nullopt},
        {KeyKind::rsa, Hash::sha256, Padding::pkcs1, Scheme::rsa_pkcs1_sha256},
        {KeyKind::rsa, Hash::sha384, Padding::pkcs1, Scheme::rsa_pkcs1_sha384},
        {KeyKind::rsa, Hash::sha512, Padding::pkcs1, Scheme::rsa_pkcs1_sha512},
        {KeyKind::rsa, Hash::sha256, Padding::pss, Scheme::rsa_pss_sha256},
        {KeyKind::rsa, Hash::sha384, Padding::pss, Scheme::rsa_pss_sha384},
        {KeyKind::rsa, Hash::sha512, Padding::pss, Scheme::rsa_pss_sha512},
        {KeyKind::rsa, Hash::none, Padding::pss, std::nullopt},
        {KeyKind::rsa_pss, Hash::sha256, Padding::pss, Scheme::rsa_pss_sha256},
        {KeyKind::rsa_pss, Hash::sha256, Padding::pkcs1, std::nullopt},
        {KeyKind::ed25519, Hash::none, Padding::pkcs1, Scheme::ed25519},
        {KeyKind::ed25519, Hash::sha256, Padding::pkcs1, std::nullopt},
    }));
    CAPTURE(static_cast<int>(row.kind), static_cast<int>(row.hash), static_cast<int>(row.padding));
    CHECK(scheme_for(row.kind, row.hash, row.padding) == row.expected);
}

TEST_CASE("Both of libssl's spellings of a digest are understood, and weaker digests are not", "[tls]")
{
    CHECK(parse_hash("SHA256") == Hash::sha256);
    CHECK(parse_hash("SHA2-256") == Hash::sha256);
    CHECK(parse_hash("SHA384") == Hash::sha384);
    CHECK(parse_hash("SHA2-384") == Hash::sha384);
    CHECK(parse_hash("SHA512") == Hash::sha512);
    CHECK(parse_hash("SHA2-512") == Hash::sha512);
    CHECK(parse_hash("") == Hash::none);
    CHECK_FALSE(parse_hash("SHA1"));
    CHECK_FALSE(parse_hash("MD5-SHA1"));
    CHECK_FALSE(parse_hash("SHA2-224"));
}

TEST_CASE("A key that was told no padding signs as its type must", "[tls]")
{
    CHECK(default_padding(KeyKind::rsa) == Padding::pkcs1);
    CHECK(default_padding(KeyKind::rsa_pss) == Padding::pss);
}
