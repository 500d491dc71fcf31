// What a handshake agreed on, as text for the access line.
#pragma once

#include <string_view>

struct ssl_st;

namespace sallyport::tls {

/// Borrows from the connection's SSL: valid while that lives. What was not agreed on is empty.
struct HandshakeFacts {
    std::string_view version; ///< "TLSv1.3"
    std::string_view cipher;  ///< the IANA name: "TLS_AES_128_GCM_SHA256"
    std::string_view group;   ///< the IANA name: "x25519", "X25519MLKEM768"
    std::string_view sni;     ///< letters, digits, '-', '_' and '.' only; "(unprintable)" if the client sent others
    std::string_view alpn;
    bool resumed{};
};

/// After a handshake; after a failed one it tells what was settled by then.
[[nodiscard]] HandshakeFacts handshake_facts(const ssl_st* ssl);

/// The protocol agreed on (RFC 7301), or empty; of the facts the only one that a connection's way depends on.
[[nodiscard]] std::string_view agreed_protocol(const ssl_st* ssl);

/// The cipher in OpenSSL's own words, which differ from IANA's before TLS 1.3: "ECDHE-RSA-AES128-GCM-SHA256".
[[nodiscard]] std::string_view cipher_name(const ssl_st* ssl);

/// The server name as the client sent it, or empty: any bytes but NUL.
[[nodiscard]] std::string_view server_name(const ssl_st* ssl);

} // namespace sallyport::tls
