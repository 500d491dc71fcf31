// The fixed label values of the metrics, and which slot each has. They are public: append, never rename.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sallyport/base/result.hpp"

namespace sallyport::metrics {

/// How a connection ended: one of these, or whose doing it was and what ("client_reset").
enum class End : std::uint8_t { orderly, cut, probe, crashed };
inline constexpr std::size_t kOwnEnds = 4;
inline constexpr std::size_t kFaults = 10;
inline constexpr std::size_t kSides = 3;
inline constexpr std::size_t kEnds = kOwnEnds + kSides * kFaults;
[[nodiscard]] constexpr std::size_t slot_of(End end)
{
    return static_cast<std::size_t>(end);
}
[[nodiscard]] constexpr std::size_t slot_of(const Error& error)
{
    return kOwnEnds + static_cast<std::size_t>(error.side) * kFaults + static_cast<std::size_t>(error.fault);
}
[[nodiscard]] std::string_view end_side(std::size_t slot); ///< "client"; empty of one of `End`
[[nodiscard]] std::string_view end_what(std::size_t slot); ///< "reset", "orderly"

/// What a handshake agreed on.
inline constexpr std::array<std::string_view, 2> kVersions{"TLSv1.2", "TLSv1.3"};
inline constexpr std::array<std::string_view, 10> kCiphers{
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "other",
};
inline constexpr std::array<std::string_view, 5> kGroups{"X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "other"};
inline constexpr std::size_t kResumptions = 2;
inline constexpr std::size_t kHandshakes = kVersions.size() * kCiphers.size() * kGroups.size() * kResumptions;
struct Agreement {
    std::string_view version;
    std::string_view cipher;
    std::string_view group;
    bool resumed{};
};
[[nodiscard]] std::size_t slot_of(const Agreement& agreement);
[[nodiscard]] Agreement agreement_at(std::size_t slot);

/// Why a handshake failed: the words of the log (tls/handshake_failure.hpp), or a fault's; the last is "other".
inline constexpr std::array<std::string_view, 50> kHandshakeFailures{
    "no shared cipher",
    "unsupported protocol",
    "inappropriate fallback",
    "no shared group",
    "no shared signature algorithm",
    "no shared application protocol",
    "http request",
    "not tls",
    "end of file",
    "bad record",
    "bad finished message",
    "client alert: close notify",
    "client alert: unexpected message",
    "client alert: bad record mac",
    "client alert: record overflow",
    "client alert: handshake failure",
    "client alert: bad certificate",
    "client alert: unsupported certificate",
    "client alert: certificate revoked",
    "client alert: certificate expired",
    "client alert: certificate unknown",
    "client alert: illegal parameter",
    "client alert: unknown ca",
    "client alert: access denied",
    "client alert: decode error",
    "client alert: decrypt error",
    "client alert: protocol version",
    "client alert: insufficient security",
    "client alert: internal error",
    "client alert: user canceled",
    "client alert: missing extension",
    "client alert: unsupported extension",
    "client alert: unrecognized name",
    "client alert: other",
    "key unavailable",
    "signature refused",
    "protocol error",
    "internal error",
    "unknown",
    "timeout",
    "refused",
    "reset",
    "truncated",
    "malformed",
    "forbidden",
    "over_limit",
    "aborted",
    "internal",
    "no_route",
    "other",
};
[[nodiscard]] std::size_t failure_slot(std::string_view reason);

/// Of the response that the client got.
inline constexpr std::array<std::string_view, 6> kStatusClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
[[nodiscard]] constexpr std::size_t status_slot(unsigned status)
{
    return status / 100 < kStatusClasses.size() ? status / 100 : 0;
}

/// Why an exchange failed: the names of site::Reason, in its order.
inline constexpr std::array<std::string_view, 27> kExchangeFailures{
    "",
    "client_malformed",
    "header_timeout",
    "body_timeout",
    "body_too_slow",
    "body_too_large",
    "no_route",
    "misdirected",
    "client_left",
    "client_stalled",
    "tunnel_idle",
    "h2_protocol",
    "h2_flood",
    "app_unresolved",
    "app_refused",
    "app_unreachable",
    "app_connect_timeout",
    "app_timeout",
    "app_closed",
    "app_reset",
    "app_malformed",
    "app_truncated",
    "app_stalled",
    "over_limit",
    "draining",
    "cut",
    "internal_error",
};

/// Why a client could not be accepted.
enum class AcceptFailure : std::uint8_t { no_resources, gone, other };
inline constexpr std::array<std::string_view, 3> kAcceptFailures{"no_resources", "gone", "other"};

} // namespace sallyport::metrics
