// Mozilla's guidelines 6.0, profiles "modern" and "intermediate". Everything is said here in full: OpenSSL's own
// defaults differ between versions, and distributions change them.
#include "policy.hpp"

#include <array>
#include <cstddef>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "sallyport/crypto/openssl_error.hpp"
#include "sallyport/tls/server_contexts.hpp"

namespace sallyport::tls {
namespace {

constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// No key exchange by RSA: our keys cannot decrypt. No DHE: the keyholder signs ECDHE parameters only.
constexpr const char* kSuites12 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:!kRSA";
// Never OpenSSL's DEFAULT, which may pick a less preferred group (CVE-2026-2673).
constexpr const char* kGroups = "X25519MLKEM768:X25519:prime256v1:secp384r1";
constexpr const char* kClassicGroups = "X25519:prime256v1:secp384r1";

constexpr const char* kSignatures13 = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:"
                                      "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                                      "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512";
constexpr const char* kSignatures12 = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:"
                                      "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
                                      "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                                      "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

// At least 112 bits of security: RSA from 2048 bits. OpenSSL 3.0 would take less, 3.5 would not.
constexpr int kSecurityLevel = 2;

/// Before 3.5 OpenSSL does not know the hybrid group.
bool set_groups(SSL_CTX* context)
{
    if (SSL_CTX_set1_groups_list(context, kGroups) == 1) return true;
    static_cast<void>(crypto::take_error());
    return SSL_CTX_set1_groups_list(context, kClassicGroups) == 1;
}

bool set_versions(SSL_CTX* context, ipc::TlsProfile profile)
{
    const int lowest = profile == ipc::TlsProfile::modern ? TLS1_3_VERSION : TLS1_2_VERSION;
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
}

bool set_algorithms(SSL_CTX* context, ipc::TlsProfile profile)
{
    SSL_CTX_set_security_level(context, kSecurityLevel);
    const char* signatures = profile == ipc::TlsProfile::modern ? kSignatures13 : kSignatures12;
    return SSL_CTX_set_ciphersuites(context, kSuites13) == 1 && SSL_CTX_set_cipher_list(context, kSuites12) == 1 &&
           set_groups(context) && SSL_CTX_set1_sigalgs_list(context, signatures) == 1;
}

void set_options(SSL_CTX* context)
{
    SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE); // every suite is good: the client knows its CPU
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    // Without NO_AUTO_CHAIN, a certificate that came alone is verified at every handshake, to find its issuers.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
}

/// A ticket is for the listeners that have the same certificates: elsewhere another app would answer in their name.
bool set_session_scope(SSL_CTX* context, const ipc::TlsSettings& settings)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> scope;
    unsigned size = 0;
    return EVP_Digest(settings.certificates.data(), settings.certificates.size() * sizeof(std::uint32_t), scope.data(),
                      &size, EVP_sha256(), nullptr) == 1 &&
           SSL_CTX_set_session_id_context(context, scope.data(), size) == 1;
}

bool set_resumption(SSL_CTX* context, const ipc::TlsSettings& settings, bool tickets)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, static_cast<long>(settings.ticket_lifetime_s));
    if (!tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return SSL_CTX_set_num_tickets(context, tickets ? 1 : 0) == 1 && set_session_scope(context, settings);
}

} // namespace

std::expected<SslContextHandle, std::string> make_context(const ipc::TlsSettings& settings, bool tickets)
{
    // Never with a property query: it would keep either peers' keys or ours from being found.
    SslContextHandle context{SSL_CTX_new(TLS_server_method())};
    const bool done = context && set_versions(context.get(), settings.profile) &&
                      set_algorithms(context.get(), settings.profile) &&
                      set_resumption(context.get(), settings, tickets);
    if (!done) return std::unexpected{"setting the TLS policy: " + crypto::take_error_text()};
    set_options(context.get());
    return context;
}

} // namespace sallyport::tls
