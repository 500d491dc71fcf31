#include "self_signed.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "certify.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::keyholder {

namespace {

using crypto::KeyHandle;
using crypto::X509Handle;

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

/// `issuer` and its key: none is itself.
Checked<KeyPair> make(const std::vector<std::string>& names, const x509_st* issuer, evp_pkey_st* issuer_key,
                      std::int64_t until, std::int64_t now)
{
    for (const std::string& name : names)
        if (!is_address(name) && !is_dns_name(name))
            return wrong("self-signed: \"" + name + "\" is neither a DNS name nor an IP address");
    KeyHandle key{EVP_EC_gen("P-256")};
    const X509Handle certificate = key && !names.empty() ? certify({.key = *key,
                                                                    .common_name = names.front(),
                                                                    .alternative_names = alternative_names(names),
                                                                    .from = now - kBackdating,
                                                                    .until = until,
                                                                    .issuer = issuer,
                                                                    .issuer_key = issuer_key})
                                                         : nullptr;
    if (!certificate) return wrong("self-signed: no certificate could be made (" + crypto::take_error_text() + ")");
    auto pair = make_pair({to_der(certificate)}, std::move(key), now);
    if (!pair) return wrong("self-signed: " + pair.error().front());
    return *std::move(pair);
}

} // namespace

Checked<KeyPair> make_self_signed(const std::vector<std::string>& names, std::int64_t now)
{
    return make(names, nullptr, nullptr, now + kSelfSignedLife, now);
}

Checked<KeyPair> make_issued(const std::vector<std::string>& names, const KeyPair& authority, std::int64_t now)
{
    const auto issuer = crypto::parse_certificate(authority.chain.front());
    if (!issuer) return wrong("the authority: " + issuer.error());
    const std::int64_t until = std::min(now + kSelfSignedLife, authority.facts.not_after);
    return make(names, issuer->get(), authority.key.get(), until, now);
}

} // namespace sallyport::keyholder
