// Private keys that live in the keyholder: how OpenSSL in this process comes to use them.
#pragma once

#include <expected>
#include <string>

#include "sallyport/tls/credentials.hpp"
#include "sallyport/tls/sign_channel.hpp"

namespace sallyport::tls {

/// Initialises OpenSSL without its configuration file and loads its default provider, then ours. Call it in `main`
/// before any other thread exists and before anything else touches OpenSSL; a second call does nothing.
/// Throws StartError if a provider cannot be loaded, or if ours would be asked for keys that are not ours.
void load_providers();

/// From now on the calling thread's signatures are made through this channel; nullptr: none are.
/// Borrows: the channel.
void use_sign_channel(SignChannel* channel);

/// Signs a TLS 1.3 text of no connection with every key, through the calling thread's channel, and verifies it with the
/// certificate. The error names the certificate's index and what went wrong.
[[nodiscard]] std::expected<void, std::string> self_test(const Credentials& credentials);

} // namespace sallyport::tls
