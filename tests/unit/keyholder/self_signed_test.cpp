#include "keyholder/self_signed.hpp"

#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

/// Whether a client that trusts this very certificate would accept it for the name or address.
bool accepted(const KeyPair& pair, const std::string& host, bool is_address)
{
    const auto certificate = crypto::parse_certificate(pair.chain.front()).value();
    X509_STORE* store = X509_STORE_new();
    X509_STORE_add_cert(store, certificate.get());
    X509_STORE_CTX* context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, certificate.get(), nullptr);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context);
    if (is_address)
        X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str());
    else
        X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
    X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_X509_STRICT);
    const bool ok = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return ok;
}

} // namespace

TEST_CASE("A self-signed certificate is good for each of its names", "[keyholder][self-signed]")
{
    const auto pair = make_self_signed({"localhost", "App.example", "*.svc.local", "127.0.0.1", "::1"}, pki::now());
    REQUIRE(pair.has_value());
    CHECK(pair->facts.names == std::vector<std::string>{"localhost", "app.example", "*.svc.local"});
    CHECK(pair->facts.addresses == std::vector<std::string>{"127.0.0.1", "::1"});
    CHECK(pair->type == KeyType::ecdsa_p256);
    CHECK(accepted(*pair, "localhost", false));
    CHECK(accepted(*pair, "a.svc.local", false));
    CHECK(accepted(*pair, "127.0.0.1", true));
    CHECK(accepted(*pair, "::1", true));
    CHECK_FALSE(accepted(*pair, "other.example", false));
    CHECK_FALSE(accepted(*pair, "10.0.0.1", true));
}

TEST_CASE("A self-signed certificate lives 90 days, and for clocks that are behind", "[keyholder][self-signed]")
{
    const std::int64_t now = pki::now();
    const auto pair = make_self_signed({"localhost"}, now);
    REQUIRE(pair.has_value());
    CHECK(pair->facts.not_after == now + 90 * 86400);
    CHECK(pair->facts.not_before == now - 3600);
}

TEST_CASE("Two self-signed certificates share neither key nor serial number", "[keyholder][self-signed]")
{
    const auto a = make_self_signed({"localhost"}, pki::now());
    const auto b = make_self_signed({"localhost"}, pki::now());
    CHECK(a->facts.spki_sha256 != b->facts.spki_sha256);
    const auto ca = crypto::parse_certificate(a->chain.front()).value();
    const auto cb = crypto::parse_certificate(b->chain.front()).value();
    CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(ca.get()), X509_get0_serialNumber(cb.get())) != 0);
}

TEST_CASE("A name that is neither DNS name nor address is refused, never interpreted", "[keyholder][self-signed]")
{
    const std::string name = GENERATE(as<std::string>{}, "", "two words", "a,IP:10.0.0.1", "a\nDNS:b", "dirName:x",
                                      "@section", "ümlaut.example", "[::1]", std::string(254, 'a'));
    CAPTURE(name);
    const auto pair = make_self_signed({"localhost", name}, pki::now());
    REQUIRE_FALSE(pair.has_value());
    CHECK(pair.error().code == ExitCode::configuration);
    CHECK_THAT(pair.error().text, Catch::Contains("neither a DNS name nor an IP address"));
}

TEST_CASE("A long name is cut in the common name only", "[keyholder][self-signed]")
{
    const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
    const auto pair = make_self_signed({name}, pki::now());
    REQUIRE(pair.has_value());
    CHECK(pair->facts.names == std::vector<std::string>{name});
}
