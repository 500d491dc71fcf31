// Signing what may be signed: the table of lawful combinations, and one thread's signatures.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "sallyport/crypto/handles.hpp"
#include "sallyport/ipc/keys.hpp"

#include "key_ring.hpp"

namespace sallyport::keyholder {

/// One lawful use of a key.
struct Lawful {
    ipc::SignatureScheme scheme;
    KeyType key;
    bool tls12;
    bool tls13;
};

// clang-format off
/// Under TLS 1.3 a scheme fixes the curve and PKCS#1 is gone (RFC 8446 §4.2.3); under TLS 1.2 it fixes the hash alone.
inline constexpr std::array kLawful{
    //      scheme                                  key                  1.2   1.3
    Lawful{ ipc::SignatureScheme::rsa_pkcs1_sha256, KeyType::rsa,        true, false },
    Lawful{ ipc::SignatureScheme::rsa_pkcs1_sha384, KeyType::rsa,        true, false },
    Lawful{ ipc::SignatureScheme::rsa_pkcs1_sha512, KeyType::rsa,        true, false },
    Lawful{ ipc::SignatureScheme::rsa_pss_sha256,   KeyType::rsa,        true, true  },
    Lawful{ ipc::SignatureScheme::rsa_pss_sha384,   KeyType::rsa,        true, true  },
    Lawful{ ipc::SignatureScheme::rsa_pss_sha512,   KeyType::rsa,        true, true  },
    Lawful{ ipc::SignatureScheme::ecdsa_sha256,     KeyType::ecdsa_p256, true, true  },
    Lawful{ ipc::SignatureScheme::ecdsa_sha384,     KeyType::ecdsa_p256, true, false },
    Lawful{ ipc::SignatureScheme::ecdsa_sha512,     KeyType::ecdsa_p256, true, false },
    Lawful{ ipc::SignatureScheme::ecdsa_sha256,     KeyType::ecdsa_p384, true, false },
    Lawful{ ipc::SignatureScheme::ecdsa_sha384,     KeyType::ecdsa_p384, true, true  },
    Lawful{ ipc::SignatureScheme::ecdsa_sha512,     KeyType::ecdsa_p384, true, false },
    Lawful{ ipc::SignatureScheme::ed25519,          KeyType::ed25519,    true, true  },
};
// clang-format on

/// Whether such a key may sign this text this way. Errors: the reason, for the log.
[[nodiscard]] std::expected<void, std::string_view> check_lawful(KeyType key, ipc::SignatureScheme scheme,
                                                                 std::span<const std::byte> text);

/// Signs for one channel. Keeps a ready context per key and scheme: setting one up costs as much as the rest of a
/// request (keyholder.md §6). Thread: one.
class Signer {
public:
    explicit Signer(const KeyRing& keys) : keys_{keys} {}

    /// Errors: why it was refused, or that OpenSSL failed; for the log.
    [[nodiscard]] std::expected<ipc::Bytes, std::string_view> sign(const ipc::Sign& request);

    /// Lets go of keys that are no longer in force; `sign` does so too. For a thread that has nothing to do.
    void refresh();

private:
    struct Context {
        std::shared_ptr<const KeyPair> pair;
        crypto::DigestContext digest;
    };
    using Contexts = std::map<std::pair<const KeyPair*, ipc::SignatureScheme>, Context>;

    [[nodiscard]] bool begin(Context& context, ipc::SignatureScheme scheme);

    const KeyRing& keys_;
    std::uint64_t version_{0};
    std::shared_ptr<const KeySets> sets_;
    Contexts contexts_;
};

} // namespace sallyport::keyholder
