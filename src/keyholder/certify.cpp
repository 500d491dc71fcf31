#include "certify.hpp"

#include <cstddef>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace sallyport::keyholder {

namespace {

using crypto::X509Handle;

constexpr std::size_t kCommonNameMax = 64; // RFC 5280, ub-common-name

bool add_extension(X509* certificate, const X509* issuer, int kind, const std::string& value)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0); // it changes neither
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (extension == nullptr) return false;
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/// RFC 5280 §4.2.1.9: an authority that issues no further one.
bool add_authority_extensions(X509* certificate)
{
    return add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
}

bool add_leaf_extensions(X509* certificate, const X509* issuer, const std::string& names)
{
    return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
           (issuer == certificate || add_extension(certificate, issuer, NID_authority_key_identifier, "keyid")) &&
           add_extension(certificate, issuer, NID_subject_alt_name, names);
}

bool set_serial(X509* certificate)
{
    const crypto::NumberHandle number{BN_new()};
    return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_names(X509* certificate, const X509* issuer, const std::string& name)
{
    X509_NAME* subject = X509_get_subject_name(certificate);
    const std::string common = name.substr(0, kCommonNameMax);
    const auto* text = reinterpret_cast<const unsigned char*>(common.c_str());
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
}

bool set_times(X509* certificate, const CertificateOrder& order)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate), order.from) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), order.until) != nullptr;
}

} // namespace

X509Handle certify(const CertificateOrder& order)
{
    X509Handle certificate{X509_new()};
    X509* c = certificate.get();
    if (c == nullptr) return nullptr;
    const X509* issuer = order.issuer != nullptr ? order.issuer : c;
    EVP_PKEY* signer = order.issuer_key != nullptr ? order.issuer_key : &order.key;
    const bool is_authority = order.alternative_names.empty();
    const bool made =
        X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) && set_names(c, issuer, order.common_name) &&
        set_times(c, order) && X509_set_pubkey(c, &order.key) == 1 &&
        (is_authority ? add_authority_extensions(c) : add_leaf_extensions(c, issuer, order.alternative_names)) &&
        X509_sign(c, signer, EVP_sha256()) > 0;
    return made ? std::move(certificate) : nullptr;
}

crypto::Der to_der(const X509Handle& certificate)
{
    crypto::Der der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(certificate.get(), &at);
    return der;
}

} // namespace sallyport::keyholder
