#include "certificate_pair.hpp"

#include <optional>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "remote_provider.hpp"
#include "sallyport/crypto/certificate.hpp"
#include "sallyport/crypto/openssl_error.hpp"

namespace sallyport::tls {
namespace {

crypto::KeyHandle given_key(const ipc::Bytes& der)
{
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    return crypto::KeyHandle{d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()))};
}

} // namespace

std::unexpected<std::string> certificate_error(std::uint32_t index, const std::string& text)
{
    return std::unexpected{"certificate " + std::to_string(index) + ": " + text};
}

std::expected<CertificatePair, std::string> load_pair(const ipc::Certificate& certificate)
{
    CertificatePair pair;
    for (const ipc::Bytes& der : certificate.chain) {
        std::expected<crypto::X509Handle, std::string> parsed = crypto::parse_certificate(der);
        if (!parsed) return certificate_error(certificate.index, parsed.error());
        if (pair.leaf)
            pair.issuers.push_back(std::move(*parsed));
        else
            pair.leaf = std::move(*parsed);
    }
    if (!pair.leaf) return certificate_error(certificate.index, "it is empty");

    const EVP_PKEY* public_half = X509_get0_pubkey(pair.leaf.get());
    const std::optional<KeyKind> kind = public_half != nullptr ? kind_of(*public_half) : std::nullopt;
    if (!kind) return certificate_error(certificate.index, "its key is of a type that we cannot sign with");
    pair.kind = *kind;
    pair.names = crypto::facts_of(*pair.leaf).names;
    pair.key =
        certificate.private_key.empty() ? remote_key(*pair.leaf, certificate.key) : given_key(certificate.private_key);
    if (!pair.key) return certificate_error(certificate.index, "its key: " + crypto::take_error_text());
    return pair;
}

} // namespace sallyport::tls
