// A private key from its PEM block, in the secure heap from the first decoded byte on.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/crypto/pem.hpp"
#include "sallyport/ipc/codec.hpp"

namespace sallyport::keyholder {

/// The types that we hold. RSA from kRsaBitsMin to kRsaBitsMax.
enum class KeyType : std::uint8_t { rsa, ecdsa_p256, ecdsa_p384, ed25519 };

inline constexpr int kRsaBitsMin = 2048;
/// Above it a signature would not fit the worker's buffer, and one takes longer than a handshake may.
inline constexpr int kRsaBitsMax = 8192;

/// Errors: what to do about it, never naming a file: the caller does. Borrows both texts, copies neither into the heap.
[[nodiscard]] std::expected<crypto::KeyHandle, std::string>
decode_private_key(const crypto::PemBlock& block, const std::optional<std::string_view>& passphrase);

/// Errors: what it is instead, and what we take.
[[nodiscard]] std::expected<KeyType, std::string> type_of(const evp_pkey_st& key);

/// As PKCS#8 DER, for `keys: in_worker`. The caller wipes it. Throws std::bad_alloc.
[[nodiscard]] ipc::Bytes to_pkcs8(const evp_pkey_st& key);

} // namespace sallyport::keyholder
