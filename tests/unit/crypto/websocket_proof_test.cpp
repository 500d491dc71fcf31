#include "sallyport/crypto/websocket_proof.hpp"

#include <string>

#include "support/catch.hpp"

using namespace sallyport::crypto;

TEST_CASE("The proof of a WebSocket's key is the one of RFC 6455 §1.3", "[crypto][rfc6455]")
{
    const auto proof = websocket_proof("dGhlIHNhbXBsZSBub25jZQ==");
    REQUIRE(proof);
    CHECK(std::string{proof->begin(), proof->end()} == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("What is no key has no proof", "[crypto][rfc6455]")
{
    const std::string key = GENERATE(
        as<std::string>{}, "",
        "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQa=", "dGhlIHNhbXBsZSBub25jZQaa",
        "dGhlIHNhbXBsZSBub25j Q==", "dGhlIHNhbXBsZSBub25j\nQ==", "dGhlIHNhbXBsZSBub25jZQ== ");
    CAPTURE(key);
    CHECK_FALSE(websocket_proof(key));
}
