// Certificates that we make ourselves.
#pragma once

#include <cstdint>
#include <string>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/crypto/pem.hpp"

namespace sallyport::keyholder {

/// For clocks that differ.
inline constexpr std::int64_t kBackdating = 3600;

/// What is to be certified. Borrows: all three objects.
struct CertificateOrder {
    evp_pkey_st& key;                ///< whose it becomes
    const std::string& common_name;  ///< cut at what X.509 allows
    std::string alternative_names{}; ///< "DNS:a,IP:::1", of plain names only. Empty: it is an authority's
    std::int64_t from{};             ///< seconds since the epoch
    std::int64_t until{};
    const x509_st* issuer{nullptr}; ///< none: itself
    evp_pkey_st* issuer_key{nullptr};
};

/// nullptr: OpenSSL's error queue tells why.
[[nodiscard]] crypto::X509Handle certify(const CertificateOrder& order);

[[nodiscard]] crypto::Der to_der(const crypto::X509Handle& certificate);

} // namespace sallyport::keyholder
