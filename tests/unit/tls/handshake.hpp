// A TLS client of OpenSSL's and one of our server contexts, joined in memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "fake_keyholder.hpp"
#include "pki.hpp"
#include "sallyport/tls/handshake_facts.hpp"
#include "sallyport/tls/handshake_failure.hpp"
#include "sallyport/tls/server_contexts.hpp"
#include "sallyport/tls/sign_channel.hpp"

namespace sallyport::tls::test {

struct FreeSession {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionHandle = std::unique_ptr<SSL_SESSION, FreeSession>;

struct ClientOptions {
    int version{TLS1_3_VERSION}; ///< exactly this one
    std::string sni{};
    std::string groups{};
    std::string suites12{};
    std::string signatures{};
    std::string alpn{}; ///< in wire form
    SSL_SESSION* session{};
    bool verifies{false};
    EVP_PKEY* client_key{};
};

inline SslHandle make_client(const ClientOptions& options)
{
    const SslContextHandle context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_min_proto_version(context.get(), options.version);
    SSL_CTX_set_max_proto_version(context.get(), options.version);
    SSL_CTX_set_security_level(context.get(), 0);
    SslHandle client{SSL_new(context.get())};
    SSL* ssl = client.get();
    SSL_set_connect_state(ssl);
    if (!options.sni.empty()) SSL_set_tlsext_host_name(ssl, options.sni.c_str());
    if (!options.groups.empty()) SSL_set1_groups_list(ssl, options.groups.c_str());
    if (!options.suites12.empty()) SSL_set_cipher_list(ssl, options.suites12.c_str());
    if (!options.signatures.empty()) SSL_set1_sigalgs_list(ssl, options.signatures.c_str());
    if (!options.alpn.empty())
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                            static_cast<unsigned>(options.alpn.size()));
    if (options.session != nullptr) SSL_set_session(ssl, options.session);
    if (options.verifies) SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    if (options.client_key != nullptr) {
        const ipc::Bytes der = certificate_for(options.client_key, {"client.example"});
        SSL_use_certificate_ASN1(ssl, reinterpret_cast<const unsigned char*>(der.data()), static_cast<int>(der.size()));
        SSL_use_PrivateKey(ssl, options.client_key);
    }
    return client;
}

/// A client and a server that talk through memory, in one thread.
class Pair {
public:
    Pair(const ServerContexts& contexts, const ClientOptions& options)
        : server_{contexts.new_session()}, client_{make_client(options)}
    {
        BIO* server_end = nullptr;
        BIO* client_end = nullptr;
        constexpr std::size_t kRoom = 64 * 1024;
        BIO_new_bio_pair(&server_end, kRoom, &client_end, kRoom);
        SSL_set_bio(server_.get(), server_end, server_end);
        SSL_set_bio(client_.get(), client_end, client_end);
    }

    [[nodiscard]] SSL* server() { return server_.get(); }
    [[nodiscard]] SSL* client() { return client_.get(); }

    /// True if both ends are done, and one byte each way arrives (with it come the tickets).
    bool shake_hands()
    {
        ERR_clear_error();
        for (int turn = 0; turn < 20; ++turn) {
            const int client = step(client_.get());
            const int server = step_server();
            if (client == 1 && server == 1)
                return exchange(client_.get(), server_.get()) && exchange(server_.get(), client_.get());
            if (client < 0 && server < 0) return false;
        }
        return false;
    }

    /// Why the server failed.
    [[nodiscard]] const std::optional<HandshakeFailure>& failure() const { return failure_; }
    /// The alert that the client got.
    [[nodiscard]] std::string client_error() const { return client_error_; }
    [[nodiscard]] HandshakeFacts facts() const { return handshake_facts(server_.get()); }

    [[nodiscard]] long peer_serial()
    {
        const crypto::X509Handle certificate{SSL_get1_peer_certificate(client_.get())};
        return certificate ? ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get())) : -1;
    }
    /// Ends the use of the client: OpenSSL does not resume what was not shut down.
    [[nodiscard]] SessionHandle session()
    {
        SSL_set_shutdown(client_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        return SessionHandle{SSL_get1_session(client_.get())};
    }

private:
    /// 1: done; 0: wants more; −1: failed.
    static int outcome(SSL* ssl, int result)
    {
        if (result == 1) return 1;
        const int error = SSL_get_error(ssl, result);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    int step(SSL* ssl)
    {
        if (!client_error_.empty()) return -1;
        const int result = outcome(ssl, SSL_do_handshake(ssl));
        if (result < 0) {
            const char* reason = ERR_reason_error_string(ERR_peek_error());
            client_error_ = reason != nullptr ? reason : "no reason";
            ERR_clear_error();
        }
        return result;
    }
    int step_server()
    {
        if (failure_) return -1;
        const int result = outcome(server_.get(), SSL_do_handshake(server_.get()));
        if (result < 0) failure_ = take_handshake_failure();
        return result;
    }
    static bool exchange(SSL* from, SSL* to)
    {
        char byte = 'x';
        return SSL_write(from, &byte, 1) == 1 && SSL_read(to, &byte, 1) == 1;
    }

    SslHandle server_;
    SslHandle client_;
    std::optional<HandshakeFailure> failure_;
    std::string client_error_;
};

/// "succeeded", or why not.
inline std::string handshake_reason(Pair& pair)
{
    if (pair.shake_hands()) return "succeeded";
    return pair.failure() ? std::string{pair.failure()->reason} : "only the client failed: " + pair.client_error();
}

inline ipc::TlsSettings settings_for(std::size_t certificates)
{
    ipc::TlsSettings settings;
    settings.profile = ipc::TlsProfile::intermediate;
    settings.tickets = true;
    settings.ticket_lifetime_s = 7200;
    for (std::uint32_t index = 0; index < certificates; ++index)
        settings.certificates.push_back(index);
    return settings;
}

/// A listener on one shard: its certificates, their keyholder, and this thread's channel to it.
class Rig {
public:
    explicit Rig(const std::vector<Entry>& entries, const ipc::TlsSettings* settings = nullptr,
                 FakeKeyholder::Serve serve = FakeKeyholder::sign_honestly())
        : credentials{credentials_for(entries)},
          keyholder{keys_for(entries), std::move(serve)},
          channel{keyholder.worker_end(), SignPatience{.answer = std::chrono::milliseconds{2000},
                                                       .replacement = std::chrono::milliseconds{20},
                                                       .suspect = std::chrono::milliseconds{20}}},
          contexts{ServerContexts::build(settings != nullptr ? *settings : settings_for(entries.size()), credentials)
                       .value()}
    {
        use_sign_channel(&channel);
    }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    ~Rig() { use_sign_channel(nullptr); }

    Credentials credentials;
    FakeKeyholder keyholder;
    SignChannel channel;
    ServerContexts contexts;
};

} // namespace sallyport::tls::test
