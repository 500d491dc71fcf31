// From OpenSSL's words for a signature (key type, digest name, padding) to the keyholder's scheme.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sallyport/ipc/keys.hpp"

struct evp_pkey_st;

namespace sallyport::tls {

enum class KeyKind : std::uint8_t { ec, rsa, rsa_pss, ed25519 };
/// In the order of the scheme's variants; `none` is Ed25519's.
enum class Hash : std::uint8_t { sha256, sha384, sha512, none };
enum class Padding : std::uint8_t { pkcs1, pss };

/// Nothing for a key of another type.
[[nodiscard]] std::optional<KeyKind> kind_of(const evp_pkey_st& key);

/// OpenSSL's spellings: "SHA256" from libssl's choice, "SHA2-256" from the digest itself; empty is `none`.
[[nodiscard]] std::optional<Hash> parse_hash(std::string_view name);

/// The padding of a key that was told nothing: PKCS#1, but PSS for a key that can do nothing else.
[[nodiscard]] Padding default_padding(KeyKind kind);

/// Nothing if the three do not go together. The padding counts for RSA keys only.
[[nodiscard]] std::optional<ipc::SignatureScheme> scheme_for(KeyKind kind, Hash hash, Padding padding);

} // namespace sallyport::tls
