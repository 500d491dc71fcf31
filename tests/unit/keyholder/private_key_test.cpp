#include "keyholder/private_key.hpp"

#include "sallyport/crypto/certificate.hpp"
#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using pki::Form;

namespace {

std::expected<crypto::KeyHandle, std::string> decode(const std::string& pem, std::optional<std::string_view> passphrase)
{
    return decode_private_key(crypto::pem_blocks(pem).value().front(), passphrase);
}

} // namespace

TEST_CASE("Every type of key is read from every form of file", "[keyholder][key]")
{
    const std::string type = GENERATE(as<std::string>{}, "RSA 2048", "RSA 4096", "EC P-256", "EC P-384", "Ed25519");
    const Form form = GENERATE(Form::pkcs8, Form::traditional, Form::encrypted_pkcs8, Form::encrypted_traditional);
    // Ed25519 has no traditional form.
    if (type == "Ed25519" && (form == Form::traditional || form == Form::encrypted_traditional)) return;
    CAPTURE(type, static_cast<int>(form));

    const crypto::KeyHandle key = pki::make_key(type);
    const auto decoded = decode(pki::pem(key, form), "open sesame");
    REQUIRE(decoded.has_value());
    CHECK(EVP_PKEY_eq(decoded->get(), key.get()) == 1);
    CHECK(crypto::key_type_of(**decoded) == type);
}

TEST_CASE("A passphrase that is wrong or missing is named as the reason", "[keyholder][key]")
{
    const Form form = GENERATE(Form::encrypted_pkcs8, Form::encrypted_traditional);
    const std::string pem = pki::pem(pki::make_key("EC P-256"), form, "right");
    CHECK_THAT(decode(pem, "wrong").error(), Catch::Contains("passphrase does not open the key"));
    CHECK_THAT(decode(pem, "").error(), Catch::Contains("passphrase does not open the key"));
    CHECK_THAT(decode(pem, "righ").error(), Catch::Contains("passphrase does not open the key"));
    CHECK_THAT(decode(pem, std::string(4096, 'x')).error(), Catch::Contains("passphrase does not open the key"));
    CHECK_THAT(decode(pem, std::nullopt).error(), Catch::Contains("no passphrase is named"));
    CHECK(decode(pem, "right").has_value());
}

TEST_CASE("A passphrase for a key that is not encrypted does no harm", "[keyholder][key]")
{
    CHECK(decode(pki::pem(pki::make_key("EC P-256")), "unneeded").has_value());
}

TEST_CASE("Damage is told without showing any of it", "[keyholder][key]")
{
    std::string pem = pki::pem(pki::make_key("EC P-256"));
    const std::string line = pem.substr(pem.find('\n') + 1, 48);
    SECTION("a character that is not base64")
    {
        pem[pem.find('\n') + 10] = '!';
    }
    SECTION("a byte of the structure")
    {
        pem[pem.find('\n') + 1] = 'A';
    }
    SECTION("cut short")
    {
        pem.erase(pem.find('\n') + 20, 40);
    }
    const auto decoded = decode(pem, std::nullopt);
    REQUIRE_FALSE(decoded.has_value());
    CHECK_THAT(decoded.error(), Catch::StartsWith("the key cannot be decoded"));
    CHECK_THAT(decoded.error(), !Catch::Contains(line.substr(20, 12)));
}

TEST_CASE("The types that we hold are exactly these", "[keyholder][key]")
{
    const auto [type, held] = GENERATE(table<std::string, std::optional<KeyType>>({
        {"RSA 1024", std::nullopt},
        {"RSA 2047", std::nullopt},
        {"RSA 2048", KeyType::rsa},
        {"RSA 3072", KeyType::rsa},
        {"EC P-256", KeyType::ecdsa_p256},
        {"EC P-384", KeyType::ecdsa_p384},
        {"EC P-521", std::nullopt},
        {"EC secp256k1", std::nullopt},
        {"Ed25519", KeyType::ed25519},
    }));
    CAPTURE(type);
    const auto found = type_of(*pki::make_key(type));
    CHECK(found.has_value() == held.has_value());
    if (found && held) CHECK(*found == *held);
    if (!found) CHECK_THAT(found.error(), Catch::Contains(type));
}

TEST_CASE("A key that is only for RSA-PSS is refused, not taken for RSA", "[keyholder][key]")
{
    EVP_PKEY* made = nullptr;
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr);
    EVP_PKEY_keygen_init(context);
    EVP_PKEY_generate(context, &made);
    EVP_PKEY_CTX_free(context);
    const crypto::KeyHandle key{made};
    CHECK_FALSE(type_of(*key).has_value());
}

TEST_CASE("A key comes back whole from PKCS#8", "[keyholder][key]")
{
    const std::string type = GENERATE(as<std::string>{}, "RSA 2048", "EC P-256", "Ed25519");
    const crypto::KeyHandle key = pki::make_key(type);
    const ipc::Bytes der = to_pkcs8(*key);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const crypto::KeyHandle back{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()))};
    REQUIRE(back);
    CHECK(EVP_PKEY_eq(key.get(), back.get()) == 1);
    CHECK(EVP_PKEY_private_check(crypto::KeyContext{EVP_PKEY_CTX_new(back.get(), nullptr)}.get()) == 1);
}
