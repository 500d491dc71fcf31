// What a certificate says, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "sallyport/crypto/handles.hpp"

namespace sallyport::crypto {

struct CertificateFacts {
    std::vector<std::string> names; ///< dNSName, lower-cased; the common name if there is no alternative name at all
    std::vector<std::string> addresses; ///< iPAddress as text: "10.0.0.1", "::1"
    std::string key_type;               ///< as key_type_of says
    std::string spki_sha256;            ///< of the SubjectPublicKeyInfo (RFC 7469 §2.4), in lower-case hexadecimal
    std::int64_t not_before{};          ///< seconds since the epoch
    std::int64_t not_after{};
};

/// Exactly one certificate, nothing behind it. Errors: OpenSSL's reason.
[[nodiscard]] std::expected<X509Handle, std::string> parse_certificate(std::span<const std::byte> der);

/// Names that hold anything but visible ASCII are left out: they match no SNI and must not reach a log.
[[nodiscard]] CertificateFacts facts_of(const x509_st& certificate);

/// "EC P-256", "EC P-384", "RSA 2048", "Ed25519"; other types by OpenSSL's own name.
[[nodiscard]] std::string key_type_of(const evp_pkey_st& key);

} // namespace sallyport::crypto
