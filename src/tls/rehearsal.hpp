// A handshake with ourselves, in memory: does a context serve?
#pragma once

#include <expected>
#include <string>

#include <openssl/types.h>

namespace sallyport::tls {

/// A TLS 1.3 client that knows these signatures alone must be shown this certificate, and proof of its key. Whom it was
/// issued by does not matter here. The error is OpenSSL's reason, or what was shown instead.
[[nodiscard]] std::expected<void, std::string> rehearse_handshake(SSL_CTX& context, const X509& leaf,
                                                                  const char* signatures);

} // namespace sallyport::tls
