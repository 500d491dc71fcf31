// For static executables alone: compression, which libcrypto has for certificates in TLS handshakes and CMS, and which
// we never offer. These answer as an OpenSSL that was built without zlib and zstd does; the two would be a fifteenth of
// the image, and code that reads what strangers send.
#include <openssl/bio.h>
#include <openssl/comp.h>

extern "C" {

COMP_METHOD* COMP_zlib()
{
    return nullptr;
}

COMP_METHOD* COMP_zlib_oneshot()
{
    return nullptr;
}

COMP_METHOD* COMP_zstd()
{
    return nullptr;
}

COMP_METHOD* COMP_zstd_oneshot()
{
    return nullptr;
}

const BIO_METHOD* BIO_f_zlib()
{
    return nullptr;
}

const BIO_METHOD* BIO_f_zstd()
{
    return nullptr;
}

void ossl_comp_zlib_cleanup() {}
void ossl_comp_zstd_cleanup() {}
}
