#include "sallyport/tls/handshake_failure.hpp"

#include "handshake.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

namespace {

/// What a server makes of bytes that no TLS client sends.
HandshakeFailure failure_of(std::string_view bytes)
{
    const Rig rig{{{KeyType::ec256, {"a.example"}}}};
    const SslHandle server = rig.contexts.new_session();
    BIO* in = BIO_new(BIO_s_mem());
    BIO_write(in, bytes.data(), static_cast<int>(bytes.size()));
    SSL_set_bio(server.get(), in, BIO_new(BIO_s_mem()));
    ERR_clear_error();
    REQUIRE(SSL_do_handshake(server.get()) != 1);
    const HandshakeFailure failure = take_handshake_failure();
    CHECK(ERR_peek_error() == 0);
    return failure;
}

std::string bytes(std::initializer_list<int> values, std::size_t zeros = 0)
{
    std::string text;
    for (const int value : values)
        text += static_cast<char>(value);
    return text.append(zeros, '\0');
}

} // namespace

TEST_CASE("What is not a handshake is told as what it is, by the client's doing", "[tls][failure]")
{
    const auto [input, expected] = GENERATE(table<std::string, std::string>({
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http request"},
        {"POST / HTTP/1.1\r\n\r\n", "http request"},
        {"CONNECT a:443 HTTP/1.1\r\n\r\n", "http request"},
        {"SSH-2.0-OpenSSH_9.2p1\r\n", "not tls"},
        {bytes({0, 1, 2, 3, 4, 5, 6, 7, 8}, 20), "not tls"},
        {bytes({22, 3, 1, 0xff, 0xff}, 30), "bad record"},
        {bytes({22, 3, 1, 0, 5, 1, 0, 0, 1, 0}), "protocol error"},
    }));
    CAPTURE(input);
    const HandshakeFailure failure = failure_of(input);
    CHECK(failure.reason == expected);
    CHECK(failure.side == Side::client);
}

TEST_CASE("A client that does not trust us is told by its alert", "[tls][failure]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}}};
    Pair pair{rig.contexts, {.verifies = true}};
    CHECK_FALSE(pair.shake_hands());
    REQUIRE(pair.failure());
    CHECK(pair.failure()->reason.starts_with("client alert: "));
    CHECK(pair.failure()->fault == Fault::refused);
    CHECK(pair.failure()->side == Side::client);
}

TEST_CASE("The reason that matters is found among others, and the queue is left empty", "[tls][failure]")
{
    ERR_clear_error();
    ERR_raise(ERR_LIB_EVP, EVP_R_UNSUPPORTED_ALGORITHM);
    ERR_raise(ERR_LIB_USER, 1); // our provider's
    ERR_raise(ERR_LIB_SSL, ERR_R_EVP_LIB);
    CHECK(take_handshake_failure().reason == "key unavailable");
    CHECK(ERR_peek_error() == 0);

    ERR_raise(ERR_LIB_EVP, EVP_R_UNSUPPORTED_ALGORITHM);
    ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
    CHECK(take_handshake_failure().reason == "no shared cipher");

    ERR_raise(ERR_LIB_EVP, EVP_R_UNSUPPORTED_ALGORITHM);
    const HandshakeFailure ours = take_handshake_failure();
    CHECK(ours.reason == "internal error");
    CHECK(ours.side == Side::self);

    ERR_raise(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_CA);
    CHECK(take_handshake_failure().reason == "client alert: unknown ca");

    ERR_raise(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + 199);
    CHECK(take_handshake_failure().reason == "client alert: other");

    CHECK(take_handshake_failure().reason == "unknown");
}
