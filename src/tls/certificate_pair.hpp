// One certificate with its chain and key as OpenSSL's objects.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/ipc/keys.hpp"
#include "signature_scheme.hpp"

namespace sallyport::tls {

struct CertificatePair {
    crypto::X509Handle leaf;
    std::vector<crypto::X509Handle> issuers; ///< the rest of the chain
    crypto::KeyHandle key;                   ///< remote, or the real one where the keyholder gave it away
    KeyKind kind{};
    std::vector<std::string> names; ///< lower-case; what SNI may ask for
};

/// Errors: a sentence that names the certificate by its index.
[[nodiscard]] std::expected<CertificatePair, std::string> load_pair(const ipc::Certificate& certificate);

/// "certificate 2: …"
[[nodiscard]] std::unexpected<std::string> certificate_error(std::uint32_t index, const std::string& text);

} // namespace sallyport::tls
