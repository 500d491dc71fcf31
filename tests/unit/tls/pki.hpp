// Keys of every type and certificates for them, made at run time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/tls/remote_key.hpp"

namespace sallyport::tls::test {

enum class KeyType { ec256, ec384, rsa2048, rsa_pss2048, ed25519 };
inline constexpr std::array kKeyTypes{KeyType::ec256, KeyType::ec384, KeyType::rsa2048, KeyType::rsa_pss2048,
                                      KeyType::ed25519};

inline std::string text_of(KeyType type)
{
    constexpr std::array kNames{"EC P-256", "EC P-384", "RSA 2048", "RSA-PSS 2048", "Ed25519"};
    return kNames.at(static_cast<std::size_t>(type));
}

inline EVP_PKEY* generate_rsa_pss()
{
    const crypto::KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr)};
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048);
    EVP_PKEY_generate(context.get(), &key);
    return key;
}

inline EVP_PKEY* generate(KeyType type)
{
    switch (type) {
    case KeyType::ec256:
        return EVP_EC_gen("P-256");
    case KeyType::ec384:
        return EVP_EC_gen("P-384");
    case KeyType::rsa2048:
        return EVP_RSA_gen(2048);
    case KeyType::rsa_pss2048:
        return generate_rsa_pss();
    case KeyType::ed25519:
        return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    return nullptr;
}

/// One key of each type for the whole run: RSA keys are slow to make.
inline EVP_PKEY* key_of(KeyType type)
{
    load_providers();
    static std::array<crypto::KeyHandle, kKeyTypes.size()> keys;
    crypto::KeyHandle& key = keys.at(static_cast<std::size_t>(type));
    if (!key) key.reset(generate(type));
    if (!key) throw std::runtime_error{"no key of type " + text_of(type)};
    return key.get();
}

inline void add_names(X509* certificate, const std::vector<std::string>& names)
{
    std::string value;
    for (const std::string& name : names)
        value += (value.empty() ? "DNS:" : ",DNS:") + name;
    if (value.empty()) return;
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/// Self-signed, for these names, as DER.
inline ipc::Bytes certificate_for(EVP_PKEY* key, const std::vector<std::string>& names, long serial = 1)
{
    const crypto::X509Handle certificate{X509_new()};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600L * 24 * 30);
    X509_set_pubkey(certificate.get(), key);
    add_names(certificate.get(), names);
    const EVP_MD* digest = EVP_PKEY_is_a(key, "ED25519") ? nullptr : EVP_sha256();
    if (X509_sign(certificate.get(), key, digest) == 0) throw std::runtime_error{"the certificate is not signed"};
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(certificate.get(), &encoded);
    const auto* bytes = reinterpret_cast<const std::byte*>(encoded);
    ipc::Bytes der{bytes, bytes + size};
    OPENSSL_free(encoded);
    return der;
}

inline ipc::Bytes private_der(EVP_PKEY* key)
{
    PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
    unsigned char* encoded = nullptr;
    const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &encoded);
    const auto* bytes = reinterpret_cast<const std::byte*>(encoded);
    ipc::Bytes der{bytes, bytes + size};
    OPENSSL_free(encoded);
    PKCS8_PRIV_KEY_INFO_free(info);
    return der;
}

/// What one listener serves: the serial number of each certificate is its index + 1, so that a test can tell them
/// apart.
struct Entry {
    KeyType type;
    std::vector<std::string> names;
};

inline ipc::TicketKey ticket_key(unsigned char fill)
{
    ipc::TicketKey key;
    key.name.fill(std::byte{fill});
    key.aes.fill(static_cast<std::byte>(fill + 1));
    key.hmac.fill(static_cast<std::byte>(fill + 2));
    return key;
}

/// `first_key`: how the keyholder calls the first one's key.
inline Credentials credentials_for(const std::vector<Entry>& entries, std::uint32_t first_key = 0)
{
    Credentials credentials;
    for (std::uint32_t index = 0; index < entries.size(); ++index) {
        const Entry& entry = entries[index];
        ipc::Certificate certificate{index, first_key + index, {}, {}};
        certificate.chain.push_back(certificate_for(key_of(entry.type), entry.names, static_cast<long>(index) + 1));
        credentials.certificates.push_back(std::move(certificate));
    }
    credentials.tickets = {ticket_key(10), ticket_key(20), ticket_key(30)};
    return credentials;
}

inline std::vector<EVP_PKEY*> keys_for(const std::vector<Entry>& entries)
{
    std::vector<EVP_PKEY*> keys;
    for (const Entry& entry : entries)
        keys.push_back(key_of(entry.type));
    return keys;
}

} // namespace sallyport::tls::test
