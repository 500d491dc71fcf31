#include "sallyport/crypto/handles.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace sallyport::crypto {

void Free::operator()(bio_st* object) const noexcept
{
    BIO_free_all(object);
}

void Free::operator()(bignum_st* object) const noexcept
{
    BN_clear_free(object);
}

void Free::operator()(evp_md_ctx_st* object) const noexcept
{
    EVP_MD_CTX_free(object);
}

void Free::operator()(evp_pkey_ctx_st* object) const noexcept
{
    EVP_PKEY_CTX_free(object);
}

void Free::operator()(evp_pkey_st* object) const noexcept
{
    EVP_PKEY_free(object);
}

void Free::operator()(x509_st* object) const noexcept
{
    X509_free(object);
}

KeyHandle share(const KeyHandle& key)
{
    if (key) EVP_PKEY_up_ref(key.get());
    return KeyHandle{key.get()};
}

X509Handle share(const X509Handle& certificate)
{
    if (certificate) X509_up_ref(certificate.get());
    return X509Handle{certificate.get()};
}

} // namespace sallyport::crypto
