// Which certificates stand side by side under which name: the plan of a listener's contexts, before OpenSSL sees it.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "signature_scheme.hpp"

namespace sallyport::tls {

struct CertificateNames {
    KeyKind kind{};
    std::vector<std::string> names; ///< lower-case
};

/// Positions in the list of certificates, at most one of each key type, rising.
using CertificateSet = std::vector<std::size_t>;

struct ContextPlan {
    std::vector<CertificateSet> sets;         ///< all different; the first is the default one
    std::map<std::string, std::size_t> names; ///< "example.com" or "*.example.com" → its set
};

/// The default set is that of the first certificate's first name, so it has the first certificate; a first certificate
/// without a name stands alone. Of two certificates of one type for one name, the first serves.
[[nodiscard]] ContextPlan plan_contexts(std::span<const CertificateNames> certificates);

} // namespace sallyport::tls
