#include "scratch_bio.hpp"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::tls {

namespace {

Scratch& scratch_of(BIO* bio)
{
    return *static_cast<Scratch*>(BIO_get_data(bio));
}

int read_scratch(BIO* bio, char* into, std::size_t size, std::size_t* copied)
{
    BIO_clear_retry_flags(bio);
    *copied = scratch_of(bio).take_input(std::as_writable_bytes(std::span{into, size}));
    if (*copied == 0) BIO_set_retry_read(bio);
    return *copied > 0 ? 1 : 0;
}

int write_scratch(BIO* bio, const char* from, std::size_t size, std::size_t* copied)
{
    BIO_clear_retry_flags(bio);
    *copied = scratch_of(bio).put_output(std::as_bytes(std::span{from, size}));
    return *copied == size ? 1 : 0;
}

long control_scratch(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/)
{
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method()
{
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport scratch");
    SALLYPORT_ASSERT(method != nullptr);
    BIO_meth_set_read_ex(method, read_scratch);
    BIO_meth_set_write_ex(method, write_scratch);
    BIO_meth_set_ctrl(method, control_scratch);
    return method;
}

crypto::BioHandle make_bio(Scratch& scratch)
{
    static BIO_METHOD* const method = make_method(); // of the process; OpenSSL never frees a method itself
    crypto::BioHandle bio{BIO_new(method)};
    SALLYPORT_ASSERT(bio != nullptr);
    BIO_set_data(bio.get(), &scratch);
    BIO_set_init(bio.get(), 1);
    return bio;
}

} // namespace

void attach_scratch(ssl_st* ssl, Scratch& scratch)
{
    crypto::BioHandle& bio = scratch.bio();
    if (!bio) bio = make_bio(scratch);
    BIO_up_ref(bio.get()); // for the SSL: one reference for both directions (SSL_set_bio(3))
    SSL_set_bio(ssl, bio.get(), bio.get());
}

} // namespace sallyport::tls
