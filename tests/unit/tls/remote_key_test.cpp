// Goal: each pitfall of having keys in another process (the name says which) stays cured. Method: OpenSSL is asked for
// exactly what would go wrong.
#include "sallyport/tls/remote_key.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#include "fake_keyholder.hpp"
#include "handshake.hpp"
#include "pki.hpp"
#include "sallyport/crypto/certificate.hpp"
#include "support/catch.hpp"
#include "tls/remote_provider.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

namespace {

crypto::KeyHandle remote_key_of(KeyType type)
{
    const auto leaf = crypto::parse_certificate(certificate_for(key_of(type), {"a.example"})).value();
    return remote_key(*leaf, 0);
}

using Message = std::array<unsigned char, 130>;
constexpr Message kMessage{0x20};

/// True if it signs; the signature comes from the calling thread's channel.
bool signs(EVP_PKEY* key, const char* digest, int padding = 0)
{
    const crypto::DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* options = nullptr;
    if (EVP_DigestSignInit_ex(context.get(), &options, digest, nullptr, nullptr, key, nullptr) != 1) return false;
    if (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(options, padding) != 1) return false;
    std::vector<unsigned char> signature(1024);
    std::size_t size = signature.size();
    return EVP_DigestSign(context.get(), signature.data(), &size, kMessage.data(), kMessage.size()) == 1;
}

} // namespace

TEST_CASE("Keys that are asked for by type alone come from the default provider", "[tls][provider]")
{
    load_providers();
    for (const char* name : {"EC", "RSA", "RSA-PSS", "ED25519", "X25519"}) {
        CAPTURE(name);
        EVP_KEYMGMT* keys = EVP_KEYMGMT_fetch(nullptr, name, nullptr);
        REQUIRE(keys != nullptr);
        CHECK(std::string{OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(keys))} == "default");
        EVP_KEYMGMT_free(keys);
    }
}

TEST_CASE("A key pair can still be generated and parsed beside our provider", "[tls][provider]")
{
    load_providers();
    const crypto::KeyHandle made{EVP_EC_gen("P-256")};
    CHECK(made);
    const ipc::Bytes der = private_der(key_of(KeyType::ec256));
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const crypto::KeyHandle parsed{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()))};
    CHECK(parsed);
}

TEST_CASE("A remote key looks like its certificate's key to libssl", "[tls][provider]")
{
    const KeyType type = GENERATE(from_range(kKeyTypes));
    CAPTURE(text_of(type));
    const crypto::KeyHandle key = remote_key_of(type);
    REQUIRE(key);
    const EVP_PKEY* local = key_of(type);
    CHECK(EVP_PKEY_is_a(key.get(), EVP_PKEY_get0_type_name(local)) == 1);
    CHECK(EVP_PKEY_get_id(key.get()) == EVP_PKEY_get_id(local));
    CHECK(EVP_PKEY_get_bits(key.get()) == EVP_PKEY_get_bits(local));
    CHECK(EVP_PKEY_get_size(key.get()) == EVP_PKEY_get_size(local));
    CHECK(EVP_PKEY_get_security_bits(key.get()) == EVP_PKEY_get_security_bits(local));
    CHECK(EVP_PKEY_eq(key.get(), local) == 1);
    CHECK(EVP_PKEY_eq(key.get(), key_of(type == KeyType::ec256 ? KeyType::ec384 : KeyType::ec256)) != 1);
}

TEST_CASE("The private part of a remote key cannot be exported, written or copied", "[tls][provider]")
{
    const KeyType type = GENERATE(from_range(kKeyTypes));
    CAPTURE(text_of(type));
    const crypto::KeyHandle key = remote_key_of(type);
    OSSL_PARAM* parameters = nullptr;
    CHECK(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &parameters) != 1);
    CHECK(EVP_PKEY_todata(key.get(), EVP_PKEY_PUBLIC_KEY, &parameters) == 1);
    OSSL_PARAM_free(parameters);
    const crypto::BioHandle bio{BIO_new(BIO_s_mem())};
    CHECK(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 0);
    CHECK(crypto::KeyHandle{EVP_PKEY_dup(key.get())} == nullptr);
    ERR_clear_error();
}

TEST_CASE("Nothing but the whole text can be signed: no digest, no piecemeal text, no decryption", "[tls][provider]")
{
    const KeyType type = GENERATE(from_range(kKeyTypes));
    CAPTURE(text_of(type));
    const crypto::KeyHandle key = remote_key_of(type);

    const crypto::KeyContext context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    CHECK(EVP_PKEY_sign_init(context.get()) != 1);

    const crypto::DigestContext pieces{EVP_MD_CTX_new()};
    const char* digest = type == KeyType::ed25519 ? nullptr : "SHA256";
    REQUIRE(EVP_DigestSignInit_ex(pieces.get(), nullptr, digest, nullptr, nullptr, key.get(), nullptr) == 1);
    CHECK(EVP_DigestSignUpdate(pieces.get(), kMessage.data(), kMessage.size()) != 1);

    std::array<unsigned char, 512> plain;
    std::size_t size = plain.size();
    const crypto::KeyContext decryption{EVP_PKEY_CTX_new(key.get(), nullptr)};
    CHECK((EVP_PKEY_decrypt_init(decryption.get()) != 1 ||
           EVP_PKEY_decrypt(decryption.get(), plain.data(), &size, kMessage.data(), kMessage.size()) != 1));
    ERR_clear_error();
}

TEST_CASE("Our provider imports no key but one that we are making", "[tls][provider]")
{
    load_providers();
    const char* query = "provider=sallyport-remote";
    EVP_PKEY* key = nullptr;

    OSSL_PARAM* foreign = nullptr;
    REQUIRE(EVP_PKEY_todata(key_of(KeyType::ec256), EVP_PKEY_PUBLIC_KEY, &foreign) == 1);
    const crypto::KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", query)};
    REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
    CHECK(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, foreign) != 1);
    OSSL_PARAM_free(foreign);

    std::uint32_t name = 0;
    std::array nobodys{OSSL_PARAM_construct_uint32(kNameParameter, &name), OSSL_PARAM_construct_end()};
    CHECK(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, nobodys.data()) != 1);
    ERR_clear_error();
}

TEST_CASE("Schemes that the keyholder does not know are refused before it is asked", "[tls][provider]")
{
    FakeKeyholder keyholder{{key_of(KeyType::rsa2048)}};
    SignChannel channel{keyholder.worker_end()};
    use_sign_channel(&channel);
    const crypto::KeyHandle rsa = remote_key_of(KeyType::rsa2048);
    const crypto::KeyHandle ed25519 = remote_key_of(KeyType::ed25519);
    const crypto::KeyHandle pss = remote_key_of(KeyType::rsa_pss2048);

    CHECK_FALSE(signs(rsa.get(), "SHA1"));
    CHECK_FALSE(signs(rsa.get(), "SHA224"));
    CHECK_FALSE(signs(rsa.get(), "SHA256", RSA_X931_PADDING));
    CHECK_FALSE(signs(rsa.get(), "SHA256", RSA_NO_PADDING));
    CHECK_FALSE(signs(ed25519.get(), "SHA256"));
    CHECK_FALSE(signs(pss.get(), "SHA256", RSA_PKCS1_PADDING));
    CHECK(keyholder.requests().empty());

    CHECK(signs(rsa.get(), "SHA256"));
    CHECK(signs(rsa.get(), "SHA384", RSA_PKCS1_PSS_PADDING));
    const auto requests = keyholder.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[0].scheme == ipc::SignatureScheme::rsa_pkcs1_sha256);
    CHECK(requests[1].scheme == ipc::SignatureScheme::rsa_pss_sha384);
    use_sign_channel(nullptr);
    ERR_clear_error();
}

TEST_CASE("A thread without a channel signs nothing", "[tls][provider]")
{
    use_sign_channel(nullptr);
    const crypto::KeyHandle key = remote_key_of(KeyType::ec256);
    CHECK_FALSE(signs(key.get(), "SHA256"));
    CHECK(take_handshake_failure().reason == "key unavailable");
}

TEST_CASE("A signature that is larger than the caller's room is not written there", "[tls][provider]")
{
    FakeKeyholder keyholder{{key_of(KeyType::ec256)}, [](FakeKeyholder& k, const ipc::Sign& request) {
                                k.answer(request.sequence, ipc::Bytes(512, std::byte{1}));
                                return true;
                            }};
    SignChannel channel{keyholder.worker_end()};
    use_sign_channel(&channel);
    const crypto::KeyHandle key = remote_key_of(KeyType::ec256);
    const crypto::DigestContext context{EVP_MD_CTX_new()};
    REQUIRE(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1);
    std::array<unsigned char, 72> signature{};
    std::size_t size = signature.size();
    CHECK(EVP_DigestSign(context.get(), signature.data(), &size, kMessage.data(), kMessage.size()) != 1);
    CHECK(signature == std::array<unsigned char, 72>{});
    use_sign_channel(nullptr);
    ERR_clear_error();
}

TEST_CASE("The self-test passes where every key signs for its certificate", "[tls][provider]")
{
    std::vector<Entry> entries;
    for (const KeyType type : kKeyTypes)
        entries.push_back({type, {"a.example"}});
    const Rig rig{entries};
    const auto passed = self_test(rig.credentials);
    CHECK(passed.has_value());
    // In the form of TLS 1.3 the keyholder signs nothing else: RFC 8446 §4.2.3 ties a curve to its digest.
    std::vector<ipc::SignatureScheme> schemes;
    for (const ipc::Sign& request : rig.keyholder.requests())
        schemes.push_back(request.scheme);
    using enum ipc::SignatureScheme;
    CHECK(schemes == std::vector{ecdsa_sha256, ecdsa_sha384, rsa_pss_sha256, rsa_pss_sha256, ed25519});
}

TEST_CASE("The self-test names the certificate whose key does not sign for it", "[tls][provider]")
{
    const Credentials credentials =
        credentials_for({{KeyType::rsa2048, {"a.example"}}, {KeyType::ec256, {"a.example"}}});
    const crypto::KeyHandle other{EVP_EC_gen("P-256")};
    FakeKeyholder keyholder{{key_of(KeyType::rsa2048), other.get()}};
    SignChannel channel{keyholder.worker_end()};
    use_sign_channel(&channel);
    const auto failed = self_test(credentials);
    use_sign_channel(nullptr);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().starts_with("certificate 1: "));
}
