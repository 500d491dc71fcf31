#include "sallyport/tls/ssl_handle.hpp"

#include <openssl/ssl.h>

namespace sallyport::tls {

void FreeSsl::operator()(ssl_st* ssl) const
{
    SSL_free(ssl);
}

void FreeSsl::operator()(ssl_ctx_st* context) const
{
    SSL_CTX_free(context);
}

} // namespace sallyport::tls
