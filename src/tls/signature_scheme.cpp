#include "signature_scheme.hpp"

#include <array>
#include <utility>

#include <openssl/evp.h>

namespace sallyport::tls {
namespace {

using enum ipc::SignatureScheme;

constexpr std::array kHashNames{
    std::pair{std::string_view{}, Hash::none},
    std::pair{std::string_view{"SHA256"}, Hash::sha256},
    std::pair{std::string_view{"SHA2-256"}, Hash::sha256},
    std::pair{std::string_view{"SHA384"}, Hash::sha384},
    std::pair{std::string_view{"SHA2-384"}, Hash::sha384},
    std::pair{std::string_view{"SHA512"}, Hash::sha512},
    std::pair{std::string_view{"SHA2-512"}, Hash::sha512},
};

using Variants = std::array<ipc::SignatureScheme, 3>; ///< by Hash
constexpr Variants kEcdsa{ecdsa_sha256, ecdsa_sha384, ecdsa_sha512};
constexpr Variants kPkcs1{rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512};
constexpr Variants kPss{rsa_pss_sha256, rsa_pss_sha384, rsa_pss_sha512};

const Variants& variants(KeyKind kind, Padding padding)
{
    if (kind == KeyKind::ec) return kEcdsa;
    return padding == Padding::pss ? kPss : kPkcs1;
}

} // namespace

std::optional<KeyKind> kind_of(const evp_pkey_st& key)
{
    if (EVP_PKEY_is_a(&key, "EC")) return KeyKind::ec;
    if (EVP_PKEY_is_a(&key, "RSA")) return KeyKind::rsa;
    if (EVP_PKEY_is_a(&key, "RSA-PSS")) return KeyKind::rsa_pss;
    if (EVP_PKEY_is_a(&key, "ED25519")) return KeyKind::ed25519;
    return std::nullopt;
}

std::optional<Hash> parse_hash(std::string_view name)
{
    for (const auto& [known, hash] : kHashNames)
        if (name == known) return hash;
    return std::nullopt;
}

Padding default_padding(KeyKind kind)
{
    return kind == KeyKind::rsa_pss ? Padding::pss : Padding::pkcs1;
}

std::optional<ipc::SignatureScheme> scheme_for(KeyKind kind, Hash hash, Padding padding)
{
    if (kind == KeyKind::rsa_pss && padding != Padding::pss) return std::nullopt;
    if ((kind == KeyKind::ed25519) != (hash == Hash::none)) return std::nullopt;
    if (kind == KeyKind::ed25519) return ed25519;
    return variants(kind, padding).at(static_cast<std::size_t>(hash));
}

} // namespace sallyport::tls
