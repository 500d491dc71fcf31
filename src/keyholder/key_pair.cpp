#include "key_pair.hpp"

#include <array>
#include <ctime>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::keyholder {

namespace {

using crypto::KeyHandle;
using crypto::X509Handle;
using Certificates = std::vector<X509Handle>;
using Faults = std::vector<std::string>;

std::string day_text(std::int64_t seconds)
{
    const std::time_t time = seconds;
    std::tm parts{};
    std::array<char, 32> text{};
    gmtime_r(&time, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return text.data();
}

Certificates parse(const std::vector<crypto::Der>& chain, Faults& faults)
{
    Certificates certificates;
    std::size_t bytes = 0;
    for (const crypto::Der& der : chain) {
        bytes += der.size();
        auto certificate = crypto::parse_certificate(der);
        if (certificate)
            certificates.push_back(*std::move(certificate));
        else
            faults.push_back("a certificate cannot be decoded: " + certificate.error());
    }
    if (bytes > kChainBytesMax)
        faults.push_back("the chain has " + std::to_string(bytes) + " bytes, more than " +
                         std::to_string(kChainBytesMax));
    return certificates;
}

void check_order(const Certificates& chain, Faults& faults)
{
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
        if (X509_check_issued(chain[i + 1].get(), chain[i].get()) != X509_V_OK)
            faults.push_back("certificate " + std::to_string(i + 2) + " of the chain has not issued certificate " +
                             std::to_string(i + 1) + "; the order is: leaf, then each one's issuer");
    }
}

void check_time(const X509& leaf, std::int64_t now, Faults& faults)
{
    const std::int64_t end = crypto::facts_of(leaf).not_after;
    if (end <= now) faults.push_back("the certificate expired on " + day_text(end) + "; put a renewed one there");
}

/// A key file may hold a public half that is not its private half's: only a signature proves the pair.
bool signs_for(EVP_PKEY* key, EVP_PKEY* certified)
{
    static constexpr std::array<unsigned char, 9> kText{'s', 'a', 'l', 'l', 'y', 'p', 'o', 'r', 't'};
    const char* digest = EVP_PKEY_is_a(key, "ED25519") ? nullptr : "SHA256";
    const crypto::DigestContext signer{EVP_MD_CTX_new()};
    const crypto::DigestContext verifier{EVP_MD_CTX_new()};
    std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t size = signature.size();
    return EVP_DigestSignInit_ex(signer.get(), nullptr, digest, nullptr, nullptr, key, nullptr) == 1 &&
           EVP_DigestSign(signer.get(), signature.data(), &size, kText.data(), kText.size()) == 1 &&
           EVP_DigestVerifyInit_ex(verifier.get(), nullptr, digest, nullptr, nullptr, certified, nullptr) == 1 &&
           EVP_DigestVerify(verifier.get(), signature.data(), size, kText.data(), kText.size()) == 1;
}

bool is_pair(EVP_PKEY* key, X509* certificate)
{
    return X509_check_private_key(certificate, key) == 1 && signs_for(key, X509_get0_pubkey(certificate));
}

void check_key(EVP_PKEY* key, const Certificates& chain, Faults& faults)
{
    if (is_pair(key, chain.front().get())) return;
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (!is_pair(key, chain[i].get())) continue;
        faults.push_back("the key belongs to certificate " + std::to_string(i + 1) +
                         " of the chain; put that one first");
        return;
    }
    faults.push_back("the key does not belong to the certificate, which is for " +
                     crypto::facts_of(*chain.front()).key_type);
}

} // namespace

std::expected<KeyPair, Faults> make_pair(std::vector<crypto::Der> chain, KeyHandle key, std::int64_t now)
{
    Faults faults;
    const auto type = type_of(*key);
    const Certificates certificates = parse(chain, faults);
    if (!type) faults.push_back(type.error());
    if (!faults.empty()) return std::unexpected{faults};

    check_key(key.get(), certificates, faults);
    check_order(certificates, faults);
    check_time(*certificates.front(), now, faults);
    static_cast<void>(crypto::take_error());
    if (!faults.empty()) return std::unexpected{faults};
    return KeyPair{std::move(chain), crypto::facts_of(*certificates.front()), std::move(key), *type, {}};
}

bool is_too_early(const KeyPair& pair, const KeyPair& in_force, std::int64_t now)
{
    const bool serves_now = in_force.facts.not_before <= now && now < in_force.facts.not_after;
    return serves_now && pair.facts.not_before > now;
}

} // namespace sallyport::keyholder
