#include "sallyport/tls/remote_key.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "certificate_pair.hpp"
#include "remote_provider.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::tls {
namespace {

thread_local SignChannel* sign_channel = nullptr;

[[noreturn]] void refuse_to_start(const std::string& text)
{
    throw StartError{ExitCode::software, "OpenSSL: " + text + ": " + crypto::take_error_text()};
}

/// A fetch without a property query must find the default provider's keys: ours can neither be generated nor imported
/// from a peer. It does if the default provider was loaded first.
void require_default_keys(const char* name)
{
    EVP_KEYMGMT* keys = EVP_KEYMGMT_fetch(nullptr, name, nullptr);
    if (keys == nullptr) refuse_to_start(std::string{"there are no keys of type "} + name);
    const std::string_view provider = OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(keys));
    EVP_KEYMGMT_free(keys);
    if (provider != "default") refuse_to_start(std::string{name} + " keys do not come from the default provider");
}

struct UnloadProvider {
    void operator()(OSSL_PROVIDER* provider) const { OSSL_PROVIDER_unload(provider); }
};
using Provider = std::unique_ptr<OSSL_PROVIDER, UnloadProvider>;

struct Providers {
    Provider standard;
    Provider remote;
};

Providers load()
{
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1) refuse_to_start("it does not initialise");
    // The order matters, see require_default_keys.
    Provider standard{OSSL_PROVIDER_load(nullptr, "default")};
    if (!standard) refuse_to_start("the default provider does not load");
    if (OSSL_PROVIDER_add_builtin(nullptr, kProviderName, start_remote_provider) != 1)
        refuse_to_start("our provider cannot be added");
    Provider remote{OSSL_PROVIDER_load(nullptr, kProviderName)};
    if (!remote) refuse_to_start("our provider does not load");
    for (const char* name : {"EC", "RSA", "RSA-PSS", "ED25519"})
        require_default_keys(name);
    return {std::move(standard), std::move(remote)};
}

/// What a server signs in TLS 1.3 (RFC 8446 §4.4.3), with zeros for the hash of a transcript.
std::string rehearsal_text()
{
    using namespace std::string_view_literals;
    return std::string(64, ' ').append("TLS 1.3, server CertificateVerify\0"sv).append(32, '\0');
}

std::span<const unsigned char> bytes(const std::string& text)
{
    return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

using Start = int (*)(EVP_MD_CTX*, EVP_PKEY_CTX**, const char*, OSSL_LIB_CTX*, const char*, EVP_PKEY*,
                      const OSSL_PARAM*);

/// TLS 1.3 ties a curve to its digest (RFC 8446 §4.2.3), and the keyholder signs nothing else in its form.
const char* digest_for(const EVP_PKEY* key, KeyKind kind)
{
    if (kind == KeyKind::ed25519) return nullptr;
    return kind == KeyKind::ec && EVP_PKEY_get_bits(key) == 384 ? "SHA384" : "SHA256";
}

/// The same preparation for both ends: `start` is OpenSSL's for signing or for verifying.
crypto::DigestContext prepare(Start start, EVP_PKEY* key, KeyKind kind)
{
    crypto::DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* options = nullptr;
    if (start(context.get(), &options, digest_for(key, kind), nullptr, nullptr, key, nullptr) != 1) return {};
    const bool is_rsa = kind == KeyKind::rsa || kind == KeyKind::rsa_pss;
    if (is_rsa && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
        return {};
    return context;
}

bool sign_and_verify(const CertificatePair& pair)
{
    const std::string text = rehearsal_text();
    const std::span<const unsigned char> message = bytes(text);
    std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(pair.key.get())));
    std::size_t size = signature.size();
    const crypto::DigestContext signing = prepare(&EVP_DigestSignInit_ex, pair.key.get(), pair.kind);
    if (!signing || EVP_DigestSign(signing.get(), signature.data(), &size, message.data(), message.size()) != 1)
        return false;
    const crypto::DigestContext verifying =
        prepare(&EVP_DigestVerifyInit_ex, X509_get0_pubkey(pair.leaf.get()), pair.kind);
    return verifying && EVP_DigestVerify(verifying.get(), signature.data(), size, message.data(), message.size()) == 1;
}

} // namespace

void load_providers()
{
    static const Providers providers = load();
    static_cast<void>(providers);
}

void use_sign_channel(SignChannel* channel)
{
    sign_channel = channel;
}

SignChannel* current_sign_channel()
{
    return sign_channel;
}

std::expected<void, std::string> self_test(const Credentials& credentials)
{
    for (const ipc::Certificate& certificate : credentials.certificates) {
        const std::expected<CertificatePair, std::string> pair = load_pair(certificate);
        if (!pair) return std::unexpected{pair.error()};
        if (!sign_and_verify(*pair))
            return certificate_error(certificate.index,
                                     "a signature of its key does not verify: " + crypto::take_error_text());
    }
    return {};
}

} // namespace sallyport::tls
