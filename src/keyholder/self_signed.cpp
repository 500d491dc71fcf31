#include "self_signed.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <arpa/inet.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::keyholder {

namespace {

using crypto::KeyHandle;
using crypto::X509Handle;

constexpr std::int64_t kBackdating = 3600;
constexpr std::size_t kCommonNameMax = 64; // RFC 5280, ub-common-name
constexpr std::size_t kDnsNameMax = 253;

bool is_address(const std::string& name)
{
    std::array<unsigned char, sizeof(in6_addr)> raw{};
    return inet_pton(AF_INET, name.c_str(), raw.data()) == 1 || inet_pton(AF_INET6, name.c_str(), raw.data()) == 1;
}

bool is_dns_name(const std::string& name)
{
    // The extension is written from text: nothing may pass that has a meaning there.
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_' || c == '*';
    };
    return !name.empty() && name.size() <= kDnsNameMax && std::ranges::all_of(name, plain);
}

std::string alternative_names(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ",") + std::string{is_address(name) ? "IP:" : "DNS:"} + name;
    return text;
}

bool add_extension(X509* certificate, int kind, const std::string& value)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (extension == nullptr) return false;
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

bool add_extensions(X509* certificate, const std::vector<std::string>& names)
{
    return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_subject_alt_name, alternative_names(names));
}

bool set_serial(X509* certificate)
{
    const crypto::NumberHandle number{BN_new()};
    return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_names(X509* certificate, const std::string& name)
{
    X509_NAME* subject = X509_get_subject_name(certificate);
    const std::string common = name.substr(0, kCommonNameMax);
    const auto* text = reinterpret_cast<const unsigned char*>(common.c_str());
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

bool set_times(X509* certificate, std::int64_t now)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate), now - kBackdating) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), now + kSelfSignedLife) != nullptr;
}

X509Handle certify(EVP_PKEY* key, const std::vector<std::string>& names, std::int64_t now)
{
    X509Handle certificate{X509_new()};
    X509* c = certificate.get();
    const bool made = c != nullptr && X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
                      set_names(c, names.front()) && set_times(c, now) && X509_set_pubkey(c, key) == 1 &&
                      add_extensions(c, names) && X509_sign(c, key, EVP_sha256()) > 0;
    return made ? std::move(certificate) : nullptr;
}

crypto::Der to_der(X509* certificate)
{
    crypto::Der der(static_cast<std::size_t>(i2d_X509(certificate, nullptr)));
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(certificate, &at);
    return der;
}

} // namespace

Checked<KeyPair> make_self_signed(const std::vector<std::string>& names, std::int64_t now)
{
    for (const std::string& name : names)
        if (!is_address(name) && !is_dns_name(name))
            return wrong("self-signed: \"" + name + "\" is neither a DNS name nor an IP address");
    KeyHandle key{EVP_EC_gen("P-256")};
    const X509Handle certificate = key && !names.empty() ? certify(key.get(), names, now) : nullptr;
    if (!certificate) return wrong("self-signed: no certificate could be made (" + crypto::take_error_text() + ")");
    auto pair = make_pair({to_der(certificate.get())}, std::move(key), now);
    if (!pair) return wrong("self-signed: " + pair.error().front());
    return *std::move(pair);
}

} // namespace sallyport::keyholder
