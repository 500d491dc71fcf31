#include "keyholder/signing.hpp"

#include <algorithm>

#include "keyholder/signed_text.hpp"
#include "sallyport/crypto/certificate.hpp"
#include "support/catch.hpp"

#include "pki.hpp"
#include "texts.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using ipc::SignatureScheme;

namespace {

constexpr std::array kSchemes{SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384,
                              SignatureScheme::rsa_pkcs1_sha512, SignatureScheme::rsa_pss_sha256,
                              SignatureScheme::rsa_pss_sha384,   SignatureScheme::rsa_pss_sha512,
                              SignatureScheme::ecdsa_sha256,     SignatureScheme::ecdsa_sha384,
                              SignatureScheme::ecdsa_sha512,     SignatureScheme::ed25519};

struct KeyCase {
    const char* type;
    KeyType held;
    std::vector<SignatureScheme> tls13;
    std::vector<SignatureScheme> tls12;
};

/// RFC 8446 §4.2.3 and RFC 5246 §7.4.1.4.1, written once more by hand: the table under test is not asked.
std::vector<KeyCase> key_cases()
{
    using S = SignatureScheme;
    const std::vector<S> pss{S::rsa_pss_sha256, S::rsa_pss_sha384, S::rsa_pss_sha512};
    const std::vector<S> rsa{S::rsa_pss_sha256,   S::rsa_pss_sha384,   S::rsa_pss_sha512,
                             S::rsa_pkcs1_sha256, S::rsa_pkcs1_sha384, S::rsa_pkcs1_sha512};
    const std::vector<S> ecdsa{S::ecdsa_sha256, S::ecdsa_sha384, S::ecdsa_sha512};
    return {{"RSA 2048", KeyType::rsa, pss, rsa},
            {"EC P-256", KeyType::ecdsa_p256, {S::ecdsa_sha256}, ecdsa},
            {"EC P-384", KeyType::ecdsa_p384, {S::ecdsa_sha384}, ecdsa},
            {"Ed25519", KeyType::ed25519, {S::ed25519}, {S::ed25519}}};
}

bool has(const std::vector<SignatureScheme>& list, SignatureScheme scheme)
{
    return std::ranges::find(list, scheme) != list.end();
}

std::shared_ptr<const KeySet> set_of(const std::vector<std::string>& types)
{
    KeySet set;
    for (const std::string& type : types) {
        pki::Pair pair{type};
        auto made = make_pair({pki::der(pair.certificate)}, std::move(pair.key), pki::now());
        set.push_back(std::make_shared<const KeyPair>(*std::move(made)));
    }
    return std::make_shared<const KeySet>(std::move(set));
}

const char* digest_of(SignatureScheme scheme)
{
    switch (scheme) {
    case SignatureScheme::ed25519:
        return nullptr;
    case SignatureScheme::rsa_pkcs1_sha256:
    case SignatureScheme::rsa_pss_sha256:
    case SignatureScheme::ecdsa_sha256:
        return "SHA256";
    case SignatureScheme::rsa_pkcs1_sha384:
    case SignatureScheme::rsa_pss_sha384:
    case SignatureScheme::ecdsa_sha384:
        return "SHA384";
    default:
        return "SHA512";
    }
}

bool is_pss(SignatureScheme scheme)
{
    return scheme >= SignatureScheme::rsa_pss_sha256 && scheme <= SignatureScheme::rsa_pss_sha512;
}

/// As a client would: salt as long as the digest (RFC 8446 §4.2.3).
bool verifies(const KeyPair& pair, SignatureScheme scheme, const ipc::Bytes& text, const ipc::Bytes& signature)
{
    const auto certificate = crypto::parse_certificate(pair.chain.front()).value();
    const crypto::DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_DigestVerifyInit_ex(context.get(), &parameters, digest_of(scheme), nullptr, nullptr,
                            X509_get0_pubkey(certificate.get()), nullptr);
    if (is_pss(scheme)) {
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
    }
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

} // namespace

TEST_CASE("Exactly the lawful uses of a key are signed, and each verifies, again and again", "[keyholder][signing]")
{
    for (const KeyCase& key : key_cases()) {
        KeyRing ring;
        const auto set = set_of({key.type});
        ring.replace(set, 0);
        Signer signer{ring};
        for (const SignatureScheme scheme : kSchemes) {
            // Twice: the second one comes from a context that was used before.
            for (const int round : {1, 2}) {
                CAPTURE(key.type, static_cast<int>(scheme), round);
                for (const std::size_t hash : {std::size_t{32}, std::size_t{48}}) {
                    const ipc::Bytes text = texts::tls13(hash);
                    const auto signature = signer.sign({1, 0, scheme, text});
                    CHECK(signature.has_value() == has(key.tls13, scheme));
                    if (signature) CHECK(verifies(*(*set)[0], scheme, text, *signature));
                }
                const ipc::Bytes text = texts::tls12(29, 32);
                const auto signature = signer.sign({1, 0, scheme, text});
                CHECK(signature.has_value() == has(key.tls12, scheme));
                if (signature) CHECK(verifies(*(*set)[0], scheme, text, *signature));
            }
        }
    }
}

TEST_CASE("A scheme without a name is refused", "[keyholder][signing]")
{
    KeyRing ring;
    ring.replace(set_of({"EC P-256"}), 0);
    Signer signer{ring};
    for (const int number : {0, 11, 255})
        CHECK_FALSE(signer.sign({1, 0, static_cast<SignatureScheme>(number), texts::tls13(32)}).has_value());
}

TEST_CASE("A text of no lawful form is refused with its reason", "[keyholder][signing]")
{
    KeyRing ring;
    ring.replace(set_of({"EC P-256"}), 0);
    Signer signer{ring};
    const auto refused = signer.sign({1, 0, SignatureScheme::ecdsa_sha256, texts::bytes("hello")});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() == form_of(texts::bytes("hello")).error());
}

TEST_CASE("A key is called by its index, and by its name", "[keyholder][signing]")
{
    KeyRing ring;
    const auto set = set_of({"EC P-256", "Ed25519"});
    ring.replace(set, 0);
    Signer signer{ring};
    const ipc::Bytes text = texts::tls13(32);
    for (const std::uint32_t name : {std::uint32_t{1}, key_name(1, *(*set)[1])}) {
        const auto signature = signer.sign({1, name, SignatureScheme::ed25519, text});
        REQUIRE(signature.has_value());
        CHECK(verifies(*(*set)[1], SignatureScheme::ed25519, text, *signature));
    }
    CHECK(signer.sign({1, 2, SignatureScheme::ed25519, text}).error() == "no such certificate");
    CHECK(signer.sign({1, 4095, SignatureScheme::ed25519, text}).error() == "no such certificate");
}

TEST_CASE("Without a key nothing is signed", "[keyholder][signing]")
{
    const KeyRing ring;
    Signer signer{ring};
    CHECK_FALSE(signer.sign({1, 0, SignatureScheme::ed25519, texts::tls13(32)}).has_value());
}

TEST_CASE("A replaced key signs for its certificate for a while, its successor for everything else",
          "[keyholder][signing][reload]")
{
    KeyRing ring;
    const auto old_set = set_of({"EC P-256"});
    const auto new_set = set_of({"EC P-256"});
    const std::uint32_t old_name = key_name(0, *(*old_set)[0]);
    const std::uint32_t new_name = key_name(0, *(*new_set)[0]);
    REQUIRE(old_name != new_name);
    Signer signer{ring};
    const ipc::Bytes text = texts::tls13(32);
    const auto signed_with = [&](std::uint32_t name) {
        const auto signature = signer.sign({1, name, SignatureScheme::ecdsa_sha256, text}).value();
        const bool by_old = verifies(*(*old_set)[0], SignatureScheme::ecdsa_sha256, text, signature);
        const bool by_new = verifies(*(*new_set)[0], SignatureScheme::ecdsa_sha256, text, signature);
        CHECK(by_old != by_new);
        return by_old ? "old" : "new";
    };

    ring.replace(old_set, 1000);
    CHECK(signed_with(old_name) == std::string{"old"});
    ring.replace(new_set, 2000);
    CHECK(signed_with(old_name) == std::string{"old"});
    CHECK(signed_with(new_name) == std::string{"new"});
    CHECK(signed_with(0) == std::string{"new"});
    ring.forget_replaced({}, 2000 + kReplacedKeysLife);
    CHECK(signed_with(old_name) == std::string{"new"});
}
