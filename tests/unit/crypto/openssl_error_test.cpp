#include "sallyport/crypto/openssl_error.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "support/catch.hpp"

using namespace sallyport::crypto;

TEST_CASE("The first error is the cause, and the queue is left empty", "[crypto][error]")
{
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    ERR_raise(ERR_LIB_EVP, EVP_R_UNSUPPORTED_CIPHER);
    CHECK(take_error_text() == "bad decrypt");
    CHECK(ERR_peek_error() == 0);
    CHECK(take_error_text() == "no reason given");
}

TEST_CASE("An error of OpenSSL's travels as the cause of ours", "[crypto][error]")
{
    ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
    const sallyport::Result<void> result = fail_openssl("opening the key", sallyport::Fault::malformed);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().fault == sallyport::Fault::malformed);
    CHECK(result.error().side == sallyport::Side::self);
    CHECK(result.error().doing == "opening the key");
    CHECK(result.error().cause.category() == openssl_category());
    CHECK(result.error().cause.message() == "bad decrypt");
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("A system error in OpenSSL's queue keeps the kernel's text", "[crypto][error]")
{
    ERR_raise(ERR_LIB_SYS, ENOENT);
    CHECK(take_error().message() == std::system_category().message(ENOENT));
}

TEST_CASE("Without an error there is no code", "[crypto][error]")
{
    ERR_clear_error();
    CHECK_FALSE(take_error());
}
