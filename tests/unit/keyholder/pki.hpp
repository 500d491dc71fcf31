// Keys, certificates and files of every form, made in the test.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/crypto/pem.hpp"

namespace pki {

using sallyport::crypto::BioHandle;
using sallyport::crypto::Der;
using sallyport::crypto::KeyHandle;
using sallyport::crypto::X509Handle;

inline void require(bool holds, const char* what)
{
    if (!holds) throw std::runtime_error{what};
}

/// A directory of the test's own, gone at its end.
class Directory {
public:
    Directory()
    {
        std::string name = std::filesystem::temp_directory_path() / "sallyport-keys-XXXXXX";
        require(mkdtemp(name.data()) != nullptr, "mkdtemp");
        path_ = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
    std::string write(const std::string& name, std::string_view text) const
    {
        std::ofstream{file(name), std::ios::binary | std::ios::trunc} << text;
        return file(name);
    }

private:
    std::filesystem::path path_;
};

/// "RSA 2048", "EC P-256", "Ed25519": as sallyport::crypto::key_type_of calls them.
inline KeyHandle make_key(const std::string& type)
{
    KeyHandle key;
    if (type.starts_with("RSA ")) key.reset(EVP_RSA_gen(static_cast<unsigned>(std::stoi(type.substr(4)))));
    if (type.starts_with("EC ")) key.reset(EVP_EC_gen(type.substr(3).c_str()));
    if (type == "Ed25519") key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    require(key != nullptr, "make_key");
    return key;
}

struct Wish {
    std::string common_name{"localhost"};
    std::string alternative_names{}; ///< "DNS:a,IP:::1"
    const X509* issuer{nullptr};
    EVP_PKEY* issuer_key{nullptr};
    std::int64_t days{30};
    std::int64_t starts_in_days{0}; ///< 0: it has been valid since yesterday
};

inline void add_alternative_names(X509* certificate, const std::string& names)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names.c_str());
    require(extension != nullptr, "subjectAltName");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

inline X509Handle make_certificate(const KeyHandle& key, const Wish& wish = {})
{
    X509Handle certificate{X509_new()};
    X509* c = certificate.get();
    static long serial = 0;
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
    X509_NAME* subject = X509_get_subject_name(c);
    if (!wish.common_name.empty())
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(c, wish.issuer != nullptr ? X509_get_subject_name(wish.issuer) : subject);
    const std::int64_t end = wish.days * 86400;
    const std::int64_t begin = std::min<std::int64_t>(-86400, end - 86400);
    X509_gmtime_adj(X509_getm_notBefore(c), wish.starts_in_days != 0 ? wish.starts_in_days * 86400 : begin);
    X509_gmtime_adj(X509_getm_notAfter(c), end);
    X509_set_pubkey(c, key.get());
    if (!wish.alternative_names.empty()) add_alternative_names(c, wish.alternative_names);
    EVP_PKEY* signer = wish.issuer_key != nullptr ? wish.issuer_key : key.get();
    require(X509_sign(c, signer, EVP_PKEY_is_a(signer, "ED25519") ? nullptr : EVP_sha256()) > 0, "X509_sign");
    return certificate;
}

inline Der der(X509* certificate)
{
    Der bytes(static_cast<std::size_t>(i2d_X509(certificate, nullptr)));
    auto* at = reinterpret_cast<unsigned char*>(bytes.data());
    i2d_X509(certificate, &at);
    return bytes;
}
inline Der der(const X509Handle& certificate)
{
    return der(certificate.get());
}

inline std::string text_of(const BioHandle& bio)
{
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

inline std::string pem(const X509Handle& certificate)
{
    const BioHandle bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(bio.get(), certificate.get());
    return text_of(bio);
}

enum class Form { pkcs8, traditional, encrypted_pkcs8, encrypted_traditional };

inline std::string pem(const KeyHandle& key, Form form = Form::pkcs8, const std::string& passphrase = "open sesame")
{
    const BioHandle bio{BIO_new(BIO_s_mem())};
    const auto* secret = reinterpret_cast<const unsigned char*>(passphrase.data());
    const int size = static_cast<int>(passphrase.size());
    int written = 0;
    switch (form) {
    case Form::pkcs8:
        written = PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        break;
    case Form::encrypted_pkcs8:
        written = PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_256_cbc(), passphrase.data(), size,
                                                nullptr, nullptr);
        break;
    case Form::traditional:
        written = PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        break;
    case Form::encrypted_traditional:
        written = PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), EVP_aes_128_cbc(), secret, size, nullptr,
                                                       nullptr);
        break;
    }
    require(written == 1, "writing a key");
    return text_of(bio);
}

/// A key with a certificate of its own.
struct Pair {
    explicit Pair(const std::string& type, const Wish& wish = {})
        : key{make_key(type)}, certificate{make_certificate(key, wish)}
    {
    }
    KeyHandle key;
    X509Handle certificate;
};

inline std::int64_t now()
{
    return std::time(nullptr);
}

} // namespace pki
