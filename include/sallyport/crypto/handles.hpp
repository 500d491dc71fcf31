// Owners of OpenSSL's objects, without OpenSSL's headers.
#pragma once

#include <memory>

struct bio_st;
struct bignum_st;
struct evp_md_ctx_st;
struct evp_pkey_ctx_st;
struct evp_pkey_st;
struct x509_st;

namespace sallyport::crypto {

/// Calls the type's own OpenSSL free function, which wipes what is secret.
struct Free {
    void operator()(bio_st* object) const noexcept;
    void operator()(bignum_st* object) const noexcept;
    void operator()(evp_md_ctx_st* object) const noexcept;
    void operator()(evp_pkey_ctx_st* object) const noexcept;
    void operator()(evp_pkey_st* object) const noexcept;
    void operator()(x509_st* object) const noexcept;
};

template <typename T>
using Handle = std::unique_ptr<T, Free>;

using BioHandle = Handle<bio_st>;
using NumberHandle = Handle<bignum_st>;
using DigestContext = Handle<evp_md_ctx_st>;
using KeyContext = Handle<evp_pkey_ctx_st>;
using KeyHandle = Handle<evp_pkey_st>; ///< EVP_PKEY: a public or a private key
using X509Handle = Handle<x509_st>;

/// One more owner of the same object, by its reference count.
[[nodiscard]] KeyHandle share(const KeyHandle& key);
[[nodiscard]] X509Handle share(const X509Handle& certificate);

} // namespace sallyport::crypto
