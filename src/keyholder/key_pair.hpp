// A certificate chain with its private key, proven to belong together.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/crypto/certificate.hpp"
#include "sallyport/crypto/handles.hpp"
#include "sallyport/crypto/pem.hpp"

#include "private_key.hpp"

namespace sallyport::keyholder {

/// SHA-256 over the texts that a pair was made of.
using TextsDigest = std::array<unsigned char, 32>;

/// Immutable once made; shared by the threads that sign with it.
struct KeyPair {
    std::vector<crypto::Der> chain; ///< leaf first
    crypto::CertificateFacts facts; ///< of the leaf
    crypto::KeyHandle key;
    KeyType type{};
    TextsDigest made_of{}; ///< zeros: made in memory
};

/// A chain larger than this does not fit a message to the worker.
inline constexpr std::size_t kChainBytesMax = 100 * 1024;

/// Checks that the chain is in order (leaf first, each signed by the next), that the leaf has not expired, and that the
/// key is the leaf's: a signature of it is verified with the leaf. `now` is in seconds since the epoch.
/// Errors: all that is wrong, a sentence each.
[[nodiscard]] std::expected<KeyPair, std::vector<std::string>> make_pair(std::vector<crypto::Der> chain,
                                                                         crypto::KeyHandle key, std::int64_t now);

/// The one in force is the better one for now: it is valid, and the other is not yet.
[[nodiscard]] bool is_too_early(const KeyPair& pair, const KeyPair& in_force, std::int64_t now);

} // namespace sallyport::keyholder
