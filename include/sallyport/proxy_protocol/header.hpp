// The PROXY protocol's header, which tells whom a proxy speaks for: read from the first bytes of a connection.
//
// The document is HAProxy's doc/proxy-protocol.txt ("PP" below), revision of 2026-04-27.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::proxy_protocol {

enum class Versions : std::uint8_t { any, v1, v2 };

struct Rules {
    Versions versions{};
    std::size_t size_max{}; ///< of a whole header, in bytes
};

/// Whom the connection is from. No address: the one that the connection has itself counts, as a health check of the
/// proxy (LOCAL), or a client of a kind that has none to tell (UNKNOWN, UNSPEC) want it.
struct Header {
    std::size_t size{0}; ///< what comes behind it is the client's
    std::optional<SocketAddress> source{};
    std::optional<SocketAddress> destination{};
};

struct Look {
    enum class Kind : std::uint8_t {
        absent,  ///< these bytes begin no header
        partial, ///< they may: more is to come
        whole
    };
    Kind kind{};
    Header header{}; ///< if it is whole
};

/// Looks at the first bytes of a connection. Neither a TLS record nor a request of HTTP begins as a header does.
/// Additional fields (TLVs) are walked to their ends; CRC32C is verified, those that are not known are passed over.
/// Errors: why the header is malformed, too large or of a version that is not taken; static text.
[[nodiscard]] std::expected<Look, std::string_view> look(std::span<const std::byte> bytes, const Rules& rules);

} // namespace sallyport::proxy_protocol
