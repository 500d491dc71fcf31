#include "negotiation.hpp"

#include <span>

#include <openssl/evp.h>
#include <openssl/ssl.h>

namespace sallyport::tls {
namespace {

void free_negotiation(void*, void* negotiation, CRYPTO_EX_DATA*, int, long, void*)
{
    const std::unique_ptr<Negotiation> owner{static_cast<Negotiation*>(negotiation)};
}

int consulted_slot()
{
    static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return slot;
}

int owned_slot()
{
    static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_negotiation);
    return slot;
}

/// RFC 6066 §3: an unknown name gets the default certificate, and the client decides.
int choose_context(SSL* ssl, int*, void* argument)
{
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    if (const auto context = static_cast<const Negotiation*>(argument)->names.find(name))
        SSL_set_SSL_CTX(ssl, *context);
    return SSL_TLSEXT_ERR_OK;
}

/// RFC 7301 §3.2: a client with whom we have no protocol in common is told so.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* argument)
{
    const auto& ours = static_cast<const Negotiation*>(argument)->protocols;
    unsigned char* match = nullptr;
    if (SSL_select_next_proto(&match, size, ours.data(), static_cast<unsigned>(ours.size()), offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = match;
    return SSL_TLSEXT_ERR_OK;
}

using KeyName = std::span<unsigned char, 16>;
using InitialVector = std::span<unsigned char, 16>;

/// The answers are those of SSL_CTX_set_tlsext_ticket_key_evp_cb(3): −1 fails, 0 is no ticket, 2 asks for a new one.
int seal_or_open_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                        int sealing)
{
    const TicketRing& ring = negotiation_of(SSL_get_SSL_CTX(ssl)).tickets;
    if (sealing == 1) return ring.seal(KeyName{name, 16}, InitialVector{iv, 16}, cipher, mac) ? 1 : -1;
    switch (ring.open(KeyName{name, 16}, InitialVector{iv, 16}, cipher, mac)) {
    case TicketRing::Opened::unknown_key:
        return 0;
    case TicketRing::Opened::with_current_key:
        // A TLS 1.3 client uses a ticket once (RFC 8446 Appendix C.4): without a new one its next handshake is a full
        // one.
        return SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
    case TicketRing::Opened::with_older_key:
        return 2;
    case TicketRing::Opened::failed:
        break;
    }
    return -1;
}

std::vector<unsigned char> protocol_list(const std::vector<std::string>& protocols)
{
    std::vector<unsigned char> list;
    for (const std::string& protocol : protocols) {
        list.push_back(static_cast<unsigned char>(protocol.size()));
        list.insert(list.end(), protocol.begin(), protocol.end());
    }
    return list;
}

} // namespace

Negotiation::Negotiation(const std::vector<std::string>& alpn, std::span<const ipc::TicketKey> keys)
    : tickets{keys}, protocols{protocol_list(alpn)}
{
}

bool consult(SSL_CTX* context, Negotiation& negotiation)
{
    if (SSL_CTX_set_ex_data(context, consulted_slot(), &negotiation) != 1) return false;
    // What the macro SSL_CTX_set_tlsext_servername_callback does, in C++.
    SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(&choose_context));
    SSL_CTX_set_tlsext_servername_arg(context, &negotiation);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &seal_or_open_ticket);
    if (!negotiation.protocols.empty()) SSL_CTX_set_alpn_select_cb(context, &choose_protocol, &negotiation);
    return true;
}

bool own(SSL_CTX* initial, std::unique_ptr<Negotiation> negotiation)
{
    if (SSL_CTX_set_ex_data(initial, owned_slot(), negotiation.get()) != 1) return false;
    static_cast<void>(negotiation.release());
    return true;
}

Negotiation& negotiation_of(const SSL_CTX* context)
{
    return *static_cast<Negotiation*>(SSL_CTX_get_ex_data(context, consulted_slot()));
}

} // namespace sallyport::tls
