// Our OpenSSL provider: keys that are a name at the keyholder and a public half, and one way to sign with them.
#pragma once

#include <cstdint>

#include <openssl/core.h>

#include "sallyport/crypto/handles.hpp"

namespace sallyport::tls {

class SignChannel;

inline constexpr const char* kProviderName = "sallyport-remote";
/// A name that no other provider has: whoever finds it has found ours, and no other can sign with our keys.
inline constexpr const char* kSignatureName = "SALLYPORT-SIGN";
/// The only parameter that our keys are imported from.
inline constexpr const char* kNameParameter = "sallyport-key";

/// The reasons that our provider adds to the error queue, under ERR_LIB_USER.
enum class RemoteKeyError : int { unavailable = 1, refused = 2 };

/// The provider's entry point, for OSSL_PROVIDER_add_builtin.
int start_remote_provider(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in, const OSSL_DISPATCH** out,
                          void** context);

/// The private key of this certificate as OpenSSL sees it; `name` is ipc::Certificate::key. Empty if the certificate's
/// key is of a type that we do not sign with. Needs `load_providers`.
[[nodiscard]] crypto::KeyHandle remote_key(const x509_st& leaf, std::uint32_t name);

/// What `use_sign_channel` said on this thread.
[[nodiscard]] SignChannel* current_sign_channel();

} // namespace sallyport::tls
