// The PROXY protocol's header, as an app is told by it who its client is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::proxy_protocol {

/// What the client's TLS came to. Of texts the first 255 bytes are told; what is empty is left out.
struct TlsFacts {
    std::string_view version;                        ///< "TLSv1.3"
    std::string_view cipher;                         ///< as OpenSSL calls it
    std::string_view group;                          ///< of the key exchange
    std::optional<std::string_view> verified_name{}; ///< the CN of the client's certificate, which was verified
};

/// Whom the app's connection is for. An address of a Unix socket is told as none (UNKNOWN, UNSPEC).
struct Client {
    SocketAddress source;
    SocketAddress destination;
    std::string_view alpn{};
    std::string_view authority{}; ///< the server name that the client asked for
    std::optional<TlsFacts> tls{};
};

/// Version 1: the addresses alone.
void append_v1(std::string& out, const Client& client);

/// Version 2, with all that is known. `checksum`: with CRC32C.
void append_v2(std::string& out, const Client& client, bool checksum);

} // namespace sallyport::proxy_protocol
