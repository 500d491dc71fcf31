#include "rehearsal.hpp"

#include <memory>
#include <new>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/crypto/openssl_error.hpp"
#include "sallyport/tls/ssl_handle.hpp"

namespace sallyport::tls {
namespace {

constexpr std::size_t kRoom = 16 * 1024;
/// A long chain passes the room in pieces.
constexpr int kTurnsMax = 64;

SslHandle client_for(const char* signatures)
{
    const SslContextHandle context{SSL_CTX_new(TLS_client_method())};
    if (!context) throw std::bad_alloc{};
    SSL_CTX_set_security_level(context.get(), 0); // who issued it, and how, is not judged
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    SslHandle client{SSL_new(context.get())};
    const bool set = client && SSL_set_min_proto_version(client.get(), TLS1_3_VERSION) == 1 &&
                     SSL_set1_groups_list(client.get(), "X25519") == 1 &&
                     SSL_set1_sigalgs_list(client.get(), signatures) == 1;
    if (!set) throw std::bad_alloc{};
    SSL_set_connect_state(client.get());
    return client;
}

void join(SSL* client, SSL* server)
{
    BIO* client_end = nullptr;
    BIO* server_end = nullptr;
    if (BIO_new_bio_pair(&client_end, kRoom, &server_end, kRoom) != 1) throw std::bad_alloc{};
    SSL_set_bio(client, client_end, client_end);
    SSL_set_bio(server, server_end, server_end);
}

enum class Step : std::uint8_t { done, waits, failed };

Step step(SSL* ssl)
{
    const int result = SSL_do_handshake(ssl);
    if (result == 1) return Step::done;
    const int error = SSL_get_error(ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Step::waits : Step::failed;
}

bool shake_hands(SSL* client, SSL* server)
{
    for (int turn = 0; turn < kTurnsMax; ++turn) {
        const Step clients = step(client);
        if (clients == Step::failed) return false;
        const Step servers = step(server);
        if (servers == Step::failed) return false;
        if (clients == Step::done && servers == Step::done) return true;
    }
    return false;
}

} // namespace

std::expected<void, std::string> rehearse_handshake(SSL_CTX& context, const X509& leaf, const char* signatures)
{
    ERR_clear_error();
    const SslHandle client = client_for(signatures);
    const SslHandle server{SSL_new(&context)};
    if (!server) throw std::bad_alloc{};
    SSL_set_accept_state(server.get());
    join(client.get(), server.get());
    if (!shake_hands(client.get(), server.get())) return std::unexpected{crypto::take_error_text()};
    const X509* shown = SSL_get0_peer_certificate(client.get());
    if (shown == nullptr || X509_cmp(shown, &leaf) != 0) return std::unexpected{"another certificate was shown"};
    return {};
}

} // namespace sallyport::tls
