#include "sallyport/tls/handshake_facts.hpp"

#include <algorithm>

#include <openssl/ssl.h>

namespace sallyport::tls {
namespace {

bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

std::string_view or_empty(const char* text)
{
    return text != nullptr ? std::string_view{text} : std::string_view{};
}

std::string_view printable(std::string_view name)
{
    return std::ranges::all_of(name, is_name_char) ? name : "(unprintable)";
}

std::string_view cipher_of(const SSL* ssl)
{
    const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
    return cipher != nullptr ? or_empty(SSL_CIPHER_standard_name(cipher)) : std::string_view{};
}

/// A TLS 1.2 resumption exchanges no key, and then this is the group of the session's first handshake.
std::string_view group_of(const SSL* ssl)
{
    // A control call, so OpenSSL wants it mutable; it changes nothing.
    SSL* connection = const_cast<SSL*>(ssl);
    // Without a session (a handshake that failed early) OpenSSL 3.0 would follow a null pointer here.
    const long group = SSL_get_session(ssl) != nullptr ? SSL_get_negotiated_group(connection) : NID_undef;
    return group != NID_undef ? or_empty(SSL_group_to_name(connection, static_cast<int>(group))) : std::string_view{};
}

} // namespace

HandshakeFacts handshake_facts(const ssl_st* ssl)
{
    return {.version = or_empty(SSL_get_version(ssl)),
            .cipher = cipher_of(ssl),
            .group = group_of(ssl),
            .sni = printable(server_name(ssl)),
            .alpn = agreed_protocol(ssl),
            .resumed = SSL_session_reused(ssl) == 1};
}

std::string_view agreed_protocol(const ssl_st* ssl)
{
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &size);
    return {reinterpret_cast<const char*>(protocol), size};
}

std::string_view cipher_name(const ssl_st* ssl)
{
    const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
    return cipher != nullptr ? or_empty(SSL_CIPHER_get_name(cipher)) : std::string_view{};
}

std::string_view server_name(const ssl_st* ssl)
{
    return or_empty(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
}

} // namespace sallyport::tls
