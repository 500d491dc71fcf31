#include "handshake.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

TEST_CASE("The intermediate profile negotiates what it says and nothing else", "[tls][policy]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}, {KeyType::rsa2048, {"a.example"}}}};
    const auto [suite, expected] = GENERATE(table<std::string, std::string>({
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "succeeded"},
        {"ECDHE-RSA-AES128-GCM-SHA256", "succeeded"},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", "succeeded"},
        {"ECDHE-RSA-AES256-GCM-SHA384", "succeeded"},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", "succeeded"},
        {"ECDHE-RSA-CHACHA20-POLY1305", "succeeded"},
        {"AES128-GCM-SHA256", "no shared cipher"}, // key exchange by RSA: our keys cannot decrypt
        {"DHE-RSA-AES128-GCM-SHA256", "no shared cipher"},
        {"ECDHE-RSA-AES128-SHA256", "no shared cipher"},
    }));
    CAPTURE(suite);
    Pair pair{rig.contexts, {.version = TLS1_2_VERSION, .suites12 = suite}};
    CHECK(handshake_reason(pair) == expected);
}

TEST_CASE("A client chooses the cipher: every one of ours is good", "[tls][policy]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts,
              {.version = TLS1_2_VERSION, .suites12 = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    CHECK(pair.facts().cipher == "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
}

TEST_CASE("The profiles refuse the versions that they do not have", "[tls][policy]")
{
    const auto [profile, version, expected] = GENERATE(table<ipc::TlsProfile, int, std::string>({
        {ipc::TlsProfile::modern, TLS1_2_VERSION, "unsupported protocol"},
        {ipc::TlsProfile::modern, TLS1_3_VERSION, "succeeded"},
        {ipc::TlsProfile::intermediate, TLS1_1_VERSION, "unsupported protocol"},
        {ipc::TlsProfile::intermediate, TLS1_2_VERSION, "succeeded"},
        {ipc::TlsProfile::intermediate, TLS1_3_VERSION, "succeeded"},
    }));
    CAPTURE(static_cast<int>(profile), version);
    ipc::TlsSettings settings = settings_for(1);
    settings.profile = profile;
    Rig rig{{{KeyType::ec256, {"a.example"}}}, &settings};
    Pair pair{rig.contexts, {.version = version}};
    CHECK(handshake_reason(pair) == expected);
}

TEST_CASE("The groups are the profile's, and the access line names the one that was used", "[tls][policy]")
{
    const auto [groups, expected] = GENERATE(table<std::string, std::string>({
        {"X25519", "x25519"},
        {"P-256", "secp256r1"},
        {"P-384", "secp384r1"},
        {"P-521", "no shared group"},
        {"X448", "no shared group"},
    }));
    CAPTURE(groups);
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts, {.groups = groups}};
    const std::string reason = handshake_reason(pair);
    CHECK((reason == "succeeded" ? std::string{pair.facts().group} : reason) == expected);
}

TEST_CASE("The post-quantum group is offered where OpenSSL knows it, and its absence breaks nothing", "[tls][policy]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts, {}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    const bool is_known = OPENSSL_VERSION_NUMBER >= 0x30500000L;
    CHECK(pair.facts().group == (is_known ? "X25519MLKEM768" : "x25519"));
}

TEST_CASE("Renegotiation is refused", "[tls][policy]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts, {.version = TLS1_2_VERSION}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    REQUIRE(SSL_renegotiate(pair.client()) == 1);
    CHECK_FALSE(pair.shake_hands());
    CHECK(rig.keyholder.requests().size() == 1);
}
