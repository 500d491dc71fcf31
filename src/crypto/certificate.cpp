#include "sallyport/crypto/certificate.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <memory>
#include <string_view>

#include <arpa/inet.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::crypto {

namespace {

constexpr std::size_t kNameMax = 253; // RFC 1035 §2.3.4, without the root's dot

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};
using NamesHandle = std::unique_ptr<GENERAL_NAMES, FreeNames>;

std::string_view view(const ASN1_STRING* text)
{
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void add_name(std::vector<std::string>& names, std::string_view name)
{
    const bool plain = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
    if (name.empty() || name.size() > kNameMax || !plain) return;
    std::string& lower = names.emplace_back(name);
    for (char& c : lower)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

void add_address(std::vector<std::string>& addresses, std::string_view raw)
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = raw.size() == 4 ? AF_INET : AF_INET6;
    if (raw.size() != 4 && raw.size() != 16) return;
    if (inet_ntop(family, raw.data(), text.data(), text.size()) != nullptr) addresses.emplace_back(text.data());
}

void add_alternative_names(CertificateFacts& facts, const x509_st& certificate)
{
    const NamesHandle names{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS) add_name(facts.names, view(name->d.dNSName));
        if (name->type == GEN_IPADD) add_address(facts.addresses, view(name->d.iPAddress));
    }
}

void add_common_name(CertificateFacts& facts, const x509_st& certificate)
{
    const X509_NAME* subject = X509_get_subject_name(&certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return;
    add_name(facts.names, view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

std::string hex_sha256(const unsigned char* data, std::size_t size)
{
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    EVP_Digest(data, size, digest.data(), nullptr, EVP_sha256(), nullptr);
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += kDigits[byte >> 4U];
        hex += kDigits[byte & 15U];
    }
    return hex;
}

std::string spki_sha256(const x509_st& certificate)
{
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &encoded);
    if (size <= 0) return {};
    std::string hex = hex_sha256(encoded, static_cast<std::size_t>(size));
    OPENSSL_free(encoded);
    return hex;
}

std::int64_t seconds(const ASN1_TIME* time)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return timegm(&parts);
}

std::string curve_of(const evp_pkey_st& key)
{
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(&key, group.data(), group.size(), nullptr) != 1) return "with explicit parameters";
    const std::string_view name{group.data()};
    if (name == "prime256v1") return "P-256";
    if (name == "secp384r1") return "P-384";
    if (name == "secp521r1") return "P-521";
    return std::string{name};
}

} // namespace

std::expected<X509Handle, std::string> parse_certificate(std::span<const std::byte> der)
{
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* end = at + der.size();
    X509Handle certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (!certificate) return std::unexpected{take_error_text()};
    if (at != end) return std::unexpected{"something follows the certificate"};
    return certificate;
}

CertificateFacts facts_of(const x509_st& certificate)
{
    CertificateFacts facts;
    add_alternative_names(facts, certificate);
    if (facts.names.empty() && facts.addresses.empty()) add_common_name(facts, certificate);
    if (const EVP_PKEY* key = X509_get0_pubkey(&certificate)) facts.key_type = key_type_of(*key);
    facts.spki_sha256 = spki_sha256(certificate);
    facts.not_before = seconds(X509_get0_notBefore(&certificate));
    facts.not_after = seconds(X509_get0_notAfter(&certificate));
    static_cast<void>(take_error());
    return facts;
}

std::string key_type_of(const evp_pkey_st& key)
{
    if (EVP_PKEY_is_a(&key, "RSA")) return "RSA " + std::to_string(EVP_PKEY_get_bits(&key));
    if (EVP_PKEY_is_a(&key, "EC")) return "EC " + curve_of(key);
    if (EVP_PKEY_is_a(&key, "ED25519")) return "Ed25519";
    const char* name = EVP_PKEY_get0_type_name(&key);
    return name != nullptr ? name : "unknown";
}

} // namespace sallyport::crypto
