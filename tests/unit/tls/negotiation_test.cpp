#include "handshake.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

TEST_CASE("The server name chooses the certificate: exact, then wildcard, then the first", "[tls][sni]")
{
    const auto [sni, expected] = GENERATE(table<std::string, long>({
        {"a.example", 1},
        {"A.EXAMPLE", 1},
        {"www.a.example", 3},
        {"mail.a.example", 2},
        {"deep.mail.a.example", 1},
        {"unknown.example", 1},
        {"", 1},
    }));
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(sni, version);
    Rig rig{
        {{KeyType::ec256, {"a.example"}}, {KeyType::ec256, {"*.a.example"}}, {KeyType::rsa2048, {"www.a.example"}}}};
    Pair pair{rig.contexts, {.version = version, .sni = sni}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    CHECK(pair.peer_serial() == expected);
    CHECK(pair.facts().sni == sni);
}

TEST_CASE("EC, RSA and Ed25519 certificates for one name serve whom they can", "[tls][sni]")
{
    Rig rig{{{KeyType::ec256, {"a.example"}}, {KeyType::rsa2048, {"a.example"}}, {KeyType::ed25519, {"a.example"}}}};
    const auto [version, signatures, suites, expected] = GENERATE(table<int, std::string, std::string, long>({
        {TLS1_3_VERSION, "ECDSA+SHA256", "", 1},
        {TLS1_3_VERSION, "RSA-PSS+SHA256", "", 2},
        {TLS1_3_VERSION, "ed25519", "", 3},
        {TLS1_2_VERSION, "ECDSA+SHA256:RSA+SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", 1},
        {TLS1_2_VERSION, "ECDSA+SHA256:RSA+SHA256", "ECDHE-RSA-AES128-GCM-SHA256", 2},
        {TLS1_2_VERSION, "RSA+SHA512", "", 2},
        {TLS1_2_VERSION, "ed25519", "", 3},
    }));
    CAPTURE(version, signatures, suites);
    Pair pair{rig.contexts, {.version = version, .sni = "a.example", .suites12 = suites, .signatures = signatures}};
    REQUIRE(handshake_reason(pair) == "succeeded");
    CHECK(pair.peer_serial() == expected);
}

TEST_CASE("ALPN answers with our first protocol that the client offers, or says that there is none",
          "[tls][rfc7301-3.2]")
{
    const std::string h2_http1 = "\x02h2\x08http/1.1";
    const std::string http1_h2 = "\x08http/1.1\x02h2";
    const std::string other = "\x03xyz";
    const auto [ours, offered, expected] = GENERATE_COPY(table<std::vector<std::string>, std::string, std::string>({
        {{}, h2_http1, ""},
        {{"h2", "http/1.1"}, "", ""},
        {{"h2", "http/1.1"}, http1_h2, "h2"},
        {{"http/1.1", "h2"}, h2_http1, "http/1.1"},
        {{"http/1.1"}, h2_http1, "http/1.1"},
        {{"h2"}, other, "no shared application protocol"},
    }));
    const std::string sni = GENERATE("a.example", "b.example"); // the second is in a context of its own
    CAPTURE(ours, offered, sni);
    ipc::TlsSettings settings = settings_for(2);
    settings.alpn = ours;
    Rig rig{{{KeyType::ec256, {"a.example"}}, {KeyType::ec256, {"b.example"}}}, &settings};
    Pair pair{rig.contexts, {.sni = sni, .alpn = offered}};
    const std::string reason = handshake_reason(pair);
    CHECK((reason == "succeeded" ? std::string{pair.facts().alpn} : reason) == expected);
}
