#include "private_key.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "sallyport/crypto/certificate.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::keyholder {

namespace {

using crypto::KeyHandle;
using Passphrase = std::optional<std::string_view>;

struct FreePkcs8 {
    void operator()(PKCS8_PRIV_KEY_INFO* object) const noexcept { PKCS8_PRIV_KEY_INFO_free(object); }
    void operator()(X509_SIG* object) const noexcept { X509_SIG_free(object); }
};
struct FreeText {
    void operator()(char* text) const noexcept { OPENSSL_free(text); }
};
struct FreeSecure {
    void operator()(char* text) const noexcept { OPENSSL_secure_free(text); }
    void operator()(unsigned char* data) const noexcept { OPENSSL_secure_free(data); }
};

/// A PEM block without its base64: all of it in the secure heap.
struct Decoded {
    std::unique_ptr<char, FreeSecure> label;
    std::unique_ptr<char, FreeSecure> header;
    std::unique_ptr<unsigned char, FreeSecure> data;
    long size{0};
};

std::optional<Decoded> decode_base64(const crypto::PemBlock& block)
{
    const crypto::BioHandle source{BIO_new_mem_buf(block.text.data(), static_cast<int>(block.text.size()))};
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    constexpr unsigned int kFlags = PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE;
    if (PEM_read_bio_ex(source.get(), &label, &header, &data, &size, kFlags) != 1) return std::nullopt;
    return Decoded{std::unique_ptr<char, FreeSecure>{label}, std::unique_ptr<char, FreeSecure>{header},
                   std::unique_ptr<unsigned char, FreeSecure>{data}, size};
}

int copy_passphrase(char* into, int room, int /*writing*/, void* context)
{
    const auto& passphrase = *static_cast<const std::string_view*>(context);
    if (passphrase.size() > static_cast<std::size_t>(room)) return -1;
    std::memcpy(into, passphrase.data(), passphrase.size());
    return static_cast<int>(passphrase.size());
}

std::unexpected<std::string> passphrase_missing()
{
    return std::unexpected<std::string>{"the key is encrypted and no passphrase is named"};
}

std::unexpected<std::string> passphrase_wrong()
{
    return std::unexpected{"the passphrase does not open the key (" + crypto::take_error_text() + ")"};
}

std::unexpected<std::string> undecodable()
{
    return std::unexpected{"the key cannot be decoded (" + crypto::take_error_text() + ")"};
}

/// The encryption of the older forms: `Proc-Type: 4,ENCRYPTED` above the base64. Decrypts in place.
std::expected<void, std::string> open_header(Decoded& decoded, const Passphrase& passphrase)
{
    EVP_CIPHER_INFO cipher{};
    if (PEM_get_EVP_CIPHER_INFO(decoded.header.get(), &cipher) != 1) return undecodable();
    if (cipher.cipher == nullptr) return {};
    if (!passphrase) return passphrase_missing();
    std::string_view given = *passphrase;
    if (PEM_do_header(&cipher, decoded.data.get(), &decoded.size, copy_passphrase, &given) != 1)
        return passphrase_wrong();
    return {};
}

std::expected<KeyHandle, std::string> open_encrypted_pkcs8(const Decoded& decoded, const Passphrase& passphrase)
{
    if (!passphrase) return passphrase_missing();
    const unsigned char* at = decoded.data.get();
    const std::unique_ptr<X509_SIG, FreePkcs8> sealed{d2i_X509_SIG(nullptr, &at, decoded.size)};
    if (!sealed) return undecodable();
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreePkcs8> opened{
        PKCS8_decrypt(sealed.get(), passphrase->data(), static_cast<int>(passphrase->size()))};
    if (!opened) return passphrase_wrong();
    KeyHandle key{EVP_PKCS82PKEY(opened.get())};
    if (!key) return undecodable();
    return key;
}

bool within(int bits, int least, int most)
{
    return bits >= least && bits <= most;
}

} // namespace

std::expected<KeyHandle, std::string> decode_private_key(const crypto::PemBlock& block, const Passphrase& passphrase)
{
    std::optional<Decoded> decoded = decode_base64(block);
    if (!decoded) return undecodable();
    if (block.label == PEM_STRING_PKCS8) return open_encrypted_pkcs8(*decoded, passphrase);
    if (const auto opened = open_header(*decoded, passphrase); !opened) return std::unexpected{opened.error()};
    const unsigned char* at = decoded->data.get();
    KeyHandle key{d2i_AutoPrivateKey(nullptr, &at, decoded->size)};
    if (!key) return undecodable();
    return key;
}

std::expected<KeyType, std::string> type_of(const evp_pkey_st& key)
{
    const std::string name = crypto::key_type_of(key);
    if (name == "EC P-256") return KeyType::ecdsa_p256;
    if (name == "EC P-384") return KeyType::ecdsa_p384;
    if (name == "Ed25519") return KeyType::ed25519;
    if (EVP_PKEY_is_a(&key, "RSA") && within(EVP_PKEY_get_bits(&key), kRsaBitsMin, kRsaBitsMax)) return KeyType::rsa;
    return std::unexpected{"the key's type is " + name +
                           "; use RSA of 2048 to 8192 bits, EC P-256, EC P-384 or Ed25519"};
}

ipc::Bytes to_pkcs8(const evp_pkey_st& key)
{
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreePkcs8> info{EVP_PKEY2PKCS8(&key)};
    const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : 0;
    if (size <= 0) throw std::bad_alloc{};
    ipc::Bytes der(static_cast<std::size_t>(size));
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at);
    return der;
}

} // namespace sallyport::keyholder
