#include "sallyport/tls/handshake_failure.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "remote_provider.hpp"

namespace sallyport::tls {
namespace {

struct Row {
    int reason;
    HandshakeFailure failure;
};

constexpr HandshakeFailure client(Fault fault, std::string_view reason)
{
    return {fault, Side::client, reason};
}

constexpr std::array kReasons{
    Row{SSL_R_NO_SHARED_CIPHER, client(Fault::refused, "no shared cipher")},
    Row{SSL_R_UNSUPPORTED_PROTOCOL, client(Fault::refused, "unsupported protocol")},
    Row{SSL_R_VERSION_TOO_LOW, client(Fault::refused, "unsupported protocol")},
    Row{SSL_R_NO_PROTOCOLS_AVAILABLE, client(Fault::refused, "unsupported protocol")},
    Row{SSL_R_INAPPROPRIATE_FALLBACK, client(Fault::refused, "inappropriate fallback")},
    Row{SSL_R_NO_SUITABLE_KEY_SHARE, client(Fault::refused, "no shared group")},
    Row{SSL_R_NO_SUITABLE_GROUPS, client(Fault::refused, "no shared group")},
    Row{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, client(Fault::refused, "no shared signature algorithm")},
    Row{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, client(Fault::refused, "no shared signature algorithm")},
    Row{SSL_R_NO_APPLICATION_PROTOCOL, client(Fault::refused, "no shared application protocol")},
    Row{SSL_R_HTTP_REQUEST, client(Fault::malformed, "http request")},
    Row{SSL_R_HTTPS_PROXY_REQUEST, client(Fault::malformed, "http request")},
    Row{SSL_R_WRONG_VERSION_NUMBER, client(Fault::malformed, "not tls")},
    Row{SSL_R_UNEXPECTED_EOF_WHILE_READING, client(Fault::truncated, "end of file")},
    Row{SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, client(Fault::malformed, "bad record")},
    Row{SSL_R_BAD_RECORD_TYPE, client(Fault::malformed, "bad record")},
    Row{SSL_R_PACKET_LENGTH_TOO_LONG, client(Fault::malformed, "bad record")},
    Row{SSL_R_ENCRYPTED_LENGTH_TOO_LONG, client(Fault::malformed, "bad record")},
    Row{SSL_R_DATA_LENGTH_TOO_LONG, client(Fault::malformed, "bad record")},
    Row{SSL_R_RECORD_LENGTH_MISMATCH, client(Fault::malformed, "bad record")},
    Row{SSL_R_RECORD_TOO_SMALL, client(Fault::malformed, "bad record")},
    Row{SSL_R_DIGEST_CHECK_FAILED, client(Fault::malformed, "bad finished message")},
};

/// RFC 8446 §6.2, and what RFC 5246 §7.2 had besides.
constexpr std::array kAlerts{
    Row{SSL_AD_CLOSE_NOTIFY, client(Fault::refused, "client alert: close notify")},
    Row{SSL_AD_UNEXPECTED_MESSAGE, client(Fault::refused, "client alert: unexpected message")},
    Row{SSL_AD_BAD_RECORD_MAC, client(Fault::refused, "client alert: bad record mac")},
    Row{SSL_AD_RECORD_OVERFLOW, client(Fault::refused, "client alert: record overflow")},
    Row{SSL_AD_HANDSHAKE_FAILURE, client(Fault::refused, "client alert: handshake failure")},
    Row{SSL_AD_BAD_CERTIFICATE, client(Fault::refused, "client alert: bad certificate")},
    Row{SSL_AD_UNSUPPORTED_CERTIFICATE, client(Fault::refused, "client alert: unsupported certificate")},
    Row{SSL_AD_CERTIFICATE_REVOKED, client(Fault::refused, "client alert: certificate revoked")},
    Row{SSL_AD_CERTIFICATE_EXPIRED, client(Fault::refused, "client alert: certificate expired")},
    Row{SSL_AD_CERTIFICATE_UNKNOWN, client(Fault::refused, "client alert: certificate unknown")},
    Row{SSL_AD_ILLEGAL_PARAMETER, client(Fault::refused, "client alert: illegal parameter")},
    Row{SSL_AD_UNKNOWN_CA, client(Fault::refused, "client alert: unknown ca")},
    Row{SSL_AD_ACCESS_DENIED, client(Fault::refused, "client alert: access denied")},
    Row{SSL_AD_DECODE_ERROR, client(Fault::refused, "client alert: decode error")},
    Row{SSL_AD_DECRYPT_ERROR, client(Fault::refused, "client alert: decrypt error")},
    Row{SSL_AD_PROTOCOL_VERSION, client(Fault::refused, "client alert: protocol version")},
    Row{SSL_AD_INSUFFICIENT_SECURITY, client(Fault::refused, "client alert: insufficient security")},
    Row{SSL_AD_INTERNAL_ERROR, client(Fault::refused, "client alert: internal error")},
    Row{SSL_AD_USER_CANCELLED, client(Fault::refused, "client alert: user canceled")},
    Row{SSL_AD_MISSING_EXTENSION, client(Fault::refused, "client alert: missing extension")},
    Row{SSL_AD_UNSUPPORTED_EXTENSION, client(Fault::refused, "client alert: unsupported extension")},
    Row{SSL_AD_UNRECOGNIZED_NAME, client(Fault::refused, "client alert: unrecognized name")},
};

constexpr HandshakeFailure kUnavailable{Fault::internal, Side::self, "key unavailable"};
constexpr HandshakeFailure kRefusedToSign{Fault::forbidden, Side::self, "signature refused"};
constexpr HandshakeFailure kProtocolError = client(Fault::malformed, "protocol error");
constexpr HandshakeFailure kInternalError{Fault::internal, Side::self, "internal error"};
constexpr HandshakeFailure kUnknown = client(Fault::malformed, "unknown");

template <std::size_t N>
const HandshakeFailure* find(const std::array<Row, N>& rows, int reason)
{
    const auto row = std::ranges::find(rows, reason, &Row::reason);
    return row == rows.end() ? nullptr : &row->failure;
}

HandshakeFailure failure_of_alert(int alert)
{
    const HandshakeFailure* known = find(kAlerts, alert);
    return known != nullptr ? *known : client(Fault::refused, "client alert: other");
}

/// How well a failure explains the handshake's end: of all entries in the queue the best one counts, the oldest first.
enum class Weight { none, foreign, protocol, exact, key };

struct Weighed {
    Weight weight;
    HandshakeFailure failure;
};

Weighed weigh(unsigned long error)
{
    const int library = ERR_GET_LIB(error);
    const int reason = ERR_GET_REASON(error);
    if (library == ERR_LIB_USER)
        return {Weight::key, reason == static_cast<int>(RemoteKeyError::refused) ? kRefusedToSign : kUnavailable};
    if (library != ERR_LIB_SSL) return {Weight::foreign, kInternalError};
    if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
        return {Weight::exact, failure_of_alert(reason - SSL_AD_REASON_OFFSET)};
    if (const HandshakeFailure* known = find(kReasons, reason)) return {Weight::exact, *known};
    return {Weight::protocol, reason == ERR_R_INTERNAL_ERROR ? kInternalError : kProtocolError};
}

} // namespace

HandshakeFailure take_handshake_failure()
{
    Weighed best{Weight::none, kUnknown};
    while (const unsigned long error = ERR_get_error()) {
        const Weighed next = weigh(error);
        if (next.weight > best.weight) best = next;
    }
    return best.failure;
}

} // namespace sallyport::tls
