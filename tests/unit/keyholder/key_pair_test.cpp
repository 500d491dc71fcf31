#include "keyholder/key_pair.hpp"

#include <openssl/param_build.h>

#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

/// leaf ← intermediate ← root
struct Hierarchy {
    pki::KeyHandle root_key = pki::make_key("EC P-256");
    pki::X509Handle root = pki::make_certificate(root_key, {.common_name = "root"});
    pki::KeyHandle middle_key = pki::make_key("RSA 2048");
    pki::X509Handle middle = pki::make_certificate(
        middle_key, {.common_name = "middle", .issuer = root.get(), .issuer_key = root_key.get()});
    pki::KeyHandle leaf_key = pki::make_key("EC P-256");
    pki::X509Handle leaf = pki::make_certificate(
        leaf_key, {.common_name = "leaf.example", .issuer = middle.get(), .issuer_key = middle_key.get()});
};

/// An EC P-256 key with the public half of one and the private half of the other.
pki::KeyHandle mixed(const pki::KeyHandle& point_of, const pki::KeyHandle& scalar_of)
{
    BIGNUM* scalar = nullptr;
    std::array<unsigned char, 65> point{};
    std::size_t size = 0;
    EVP_PKEY_get_bn_param(scalar_of.get(), "priv", &scalar);
    EVP_PKEY_get_octet_string_param(point_of.get(), "encoded-pub-key", point.data(), point.size(), &size);
    OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(builder, "group", "P-256", 0);
    OSSL_PARAM_BLD_push_BN(builder, "priv", scalar);
    OSSL_PARAM_BLD_push_octet_string(builder, "pub", point.data(), size);
    OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context);
    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(scalar);
    return pki::KeyHandle{key};
}

std::vector<std::string> faults(std::vector<crypto::Der> chain, const pki::KeyHandle& key,
                                std::int64_t now = pki::now())
{
    auto pair = make_pair(std::move(chain), crypto::share(key), now);
    return pair ? std::vector<std::string>{} : pair.error();
}

} // namespace

TEST_CASE("A chain in order with its key is a pair", "[keyholder][pair]")
{
    const Hierarchy h;
    auto pair =
        make_pair({pki::der(h.leaf), pki::der(h.middle), pki::der(h.root)}, crypto::share(h.leaf_key), pki::now());
    REQUIRE(pair.has_value());
    CHECK(pair->type == KeyType::ecdsa_p256);
    CHECK(pair->facts.names == std::vector<std::string>{"leaf.example"});
    CHECK(pair->chain.size() == 3);
}

TEST_CASE("A key of another certificate is refused, also one of the same type", "[keyholder][pair]")
{
    const std::string type = GENERATE(as<std::string>{}, "RSA 2048", "EC P-256", "EC P-384", "Ed25519");
    const pki::Pair pair{type};
    const auto found = faults({pki::der(pair.certificate)}, pki::make_key(type));
    REQUIRE(found.size() == 1);
    CHECK_THAT(found.front(), Catch::Contains("does not belong to the certificate, which is for " + type));
}

TEST_CASE("A chain that is out of order is told with the place", "[keyholder][pair]")
{
    const Hierarchy h;
    const auto swapped = faults({pki::der(h.leaf), pki::der(h.root), pki::der(h.middle)}, h.leaf_key);
    REQUIRE(swapped.size() == 2);
    CHECK_THAT(swapped[0], Catch::Contains("certificate 2 of the chain has not issued certificate 1"));
    CHECK_THAT(swapped[1], Catch::Contains("certificate 3 of the chain has not issued certificate 2"));

    const auto gap = faults({pki::der(h.leaf), pki::der(h.root)}, h.leaf_key);
    REQUIRE(gap.size() == 1);
    CHECK_THAT(gap[0], Catch::Contains("certificate 2 of the chain has not issued certificate 1"));
}

TEST_CASE("A leaf that does not come first is found", "[keyholder][pair]")
{
    const Hierarchy h;
    const auto found = faults({pki::der(h.root), pki::der(h.middle), pki::der(h.leaf)}, h.leaf_key);
    REQUIRE_FALSE(found.empty());
    CHECK_THAT(found.front(), Catch::Contains("the key belongs to certificate 3 of the chain; put that one first"));
}

TEST_CASE("An expired certificate is refused with the day of its end", "[keyholder][pair]")
{
    const pki::Pair pair{"EC P-256", {.days = 30}};
    const std::int64_t end = crypto::facts_of(*pair.certificate).not_after;
    CHECK(faults({pki::der(pair.certificate)}, pair.key, end - 1).empty());
    const auto found = faults({pki::der(pair.certificate)}, pair.key, end);
    REQUIRE(found.size() == 1);
    CHECK_THAT(found.front(), Catch::Contains("expired on 20") && Catch::Contains("UTC"));
}

TEST_CASE("All that is wrong with a pair is told at once", "[keyholder][pair]")
{
    const Hierarchy h;
    const std::int64_t later = pki::now() + 40 * std::int64_t{86400};
    CHECK(faults({pki::der(h.leaf), pki::der(h.root)}, h.root_key, later).size() == 3);
}

TEST_CASE("A private half that is not the public half's is found by signing", "[keyholder][pair]")
{
    // The certificate's public point beside another private scalar: a comparison of public keys alone sees nothing.
    const pki::Pair pair{"EC P-256"};
    const pki::KeyHandle other = pki::make_key("EC P-256");
    const pki::KeyHandle key = mixed(pair.key, other);
    REQUIRE(X509_check_private_key(pair.certificate.get(), key.get()) == 1);
    CHECK(faults({pki::der(pair.certificate)}, key).size() == 1);
}

TEST_CASE("A chain that would not fit a message is refused", "[keyholder][pair]")
{
    std::string names;
    for (int i = 0; i < 6000; ++i)
        names += (i == 0 ? "DNS:host" : ",DNS:host") + std::to_string(i) + ".example.org";
    const pki::Pair pair{"EC P-256", {.alternative_names = names}};
    CHECK_THAT(faults({pki::der(pair.certificate)}, pair.key).front(), Catch::Contains("the chain has"));
}

TEST_CASE("A key type that we do not hold is refused even with its certificate", "[keyholder][pair]")
{
    const pki::Pair pair{"EC P-521"};
    CHECK_THAT(faults({pki::der(pair.certificate)}, pair.key).front(), Catch::Contains("EC P-521"));
}
