#include "load/tls.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

namespace bench {

namespace {

int protocol_number(const std::string& version)
{
    if (version == "1.2") return TLS1_2_VERSION;
    if (version == "1.3") return TLS1_3_VERSION;
    std::fprintf(stderr, "unknown TLS version: %s\n", version.c_str());
    std::exit(64);
}

int keep_ticket(SSL* tls, SSL_SESSION* session)
{
    auto* jar = static_cast<TicketJar*>(SSL_get_app_data(tls));
    if (jar == nullptr) return 0;
    jar->ticket.reset(session);
    ++jar->received;
    return 1;
}

std::string fingerprint(SSL* tls)
{
    const X509* certificate = SSL_get0_peer_certificate(tls);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size{};
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return "";
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        std::array<char, 3> pair{};
        std::snprintf(pair.data(), pair.size(), "%02x", digest[i]);
        hex += pair.data();
    }
    return hex;
}

std::string curve_name(SSL* tls)
{
    const char* name = OBJ_nid2sn(static_cast<int>(SSL_get_negotiated_group(tls)));
    return name == nullptr ? "" : name;
}

} // namespace

Context client_context(const std::string& version)
{
    Context context{SSL_CTX_new(TLS_client_method())};
    const int number = protocol_number(version);
    SSL_CTX_set_min_proto_version(context.get(), number);
    SSL_CTX_set_max_proto_version(context.get(), number);
    SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_cipher_list(context.get(), "ECDHE-ECDSA-AES128-GCM-SHA256");
    // In TLS 1.2 the list must also name the certificate's own curve; what was chosen is in the report.
    SSL_CTX_set1_groups_list(context.get(), number == TLS1_3_VERSION ? "X25519" : "X25519:P-256");
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), keep_ticket);
    // Several records per recv: the generator must outrun the proxy.
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_default_read_buffer_len(context.get(), 128 * 1024);
    return context;
}

void use_tickets_of(SSL* tls, TicketJar& jar)
{
    SSL_set_app_data(tls, &jar);
    if (jar.ticket == nullptr) return;
    // libssl makes a TLS 1.3 session useless once it was offered; its copy is spared.
    const Session copy{SSL_SESSION_dup(jar.ticket.get())};
    SSL_set_session(tls, copy.get());
}

void Agreement::note(SSL* tls)
{
    SSL_session_reused(tls) == 1 ? ++resumed : ++full;
    if (version.empty()) {
        version = SSL_get_version(tls);
        cipher = SSL_get_cipher_name(tls);
        curve = curve_name(tls);
        certificate = fingerprint(tls);
    } else if (version != SSL_get_version(tls) || cipher != SSL_get_cipher_name(tls)) {
        ++strays;
    }
}

} // namespace bench
