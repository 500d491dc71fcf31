// The owners of OpenSSL's SSL and SSL_CTX, without OpenSSL's headers.
#pragma once

#include <memory>

struct ssl_st;
struct ssl_ctx_st;

namespace sallyport::tls {

struct FreeSsl {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
};

using SslHandle = std::unique_ptr<ssl_st, FreeSsl>;
/// One reference: a connection keeps its own.
using SslContextHandle = std::unique_ptr<ssl_ctx_st, FreeSsl>;

} // namespace sallyport::tls
