#include "keyholder/authority.hpp"

#include <fcntl.h>

#include <openssl/x509v3.h>

#include "keyholder/key_store.hpp"
#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

/// An authority in two files, and a source that it issues.
struct Rig {
    Rig()
    {
        const UniqueFd key{open(directory.file("k").c_str(), O_RDWR | O_CREAT, 0600)};
        const UniqueFd certificate{open(directory.file("c").c_str(), O_RDWR | O_CREAT, 0600)};
        REQUIRE(make_authority("the authority", key.get(), certificate.get(), pki::now()).has_value());
        Source& source = sources.emplace_back();
        source.description.label = "dev";
        source.description.certificate = {directory.file("c"), false};
        source.description.key = {directory.file("k"), false};
        source.description.self_signed_names = {"app.localhost", "::1"};
    }

    [[nodiscard]] crypto::X509Handle authority() const
    {
        Source source;
        source.description.certificate = sources[0].description.certificate;
        source.description.key = sources[0].description.key;
        const auto keys = load_all(std::span{&source, 1}, nullptr, pki::now()).value();
        return crypto::parse_certificate(keys[0]->chain.front()).value();
    }

    pki::Directory directory;
    std::vector<Source> sources;
};

bool verifies(const crypto::X509Handle& leaf, const crypto::X509Handle& authority, const char* name)
{
    X509_STORE* store = X509_STORE_new();
    X509_STORE_add_cert(store, authority.get());
    X509_STORE_CTX* context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
    X509_STORE_CTX_set_default(context, "ssl_server");
    X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), name, 0);
    const bool verified = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return verified;
}

} // namespace

TEST_CASE("An authority issues leaves that verify for their names", "[keyholder][authority]")
{
    Rig rig;
    const auto keys = load_all(rig.sources, nullptr, pki::now()).value();
    const auto leaf = crypto::parse_certificate(keys[0]->chain.front()).value();
    const auto authority = rig.authority();
    CHECK(verifies(leaf, authority, "app.localhost"));
    CHECK_FALSE(verifies(leaf, authority, "other.localhost"));
    CHECK(keys[0]->facts.addresses == std::vector<std::string>{"::1"});
    CHECK(keys[0]->chain.size() == 1);
    CHECK(report(rig.sources[0], *keys[0]).key_from.empty());
}

TEST_CASE("An authority may sign leaves and nothing else", "[keyholder][authority]")
{
    Rig rig;
    const auto authority = rig.authority();
    CHECK((X509_get_extension_flags(authority.get()) & EXFLAG_CA) != 0);
    CHECK(X509_get_pathlen(authority.get()) == 0);
    CHECK(X509_get_key_usage(authority.get()) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
    const auto keys = load_all(rig.sources, nullptr, pki::now()).value();
    const auto leaf = crypto::parse_certificate(keys[0]->chain.front()).value();
    CHECK((X509_get_extension_flags(leaf.get()) & EXFLAG_CA) == 0);
    CHECK(X509_get_key_usage(leaf.get()) == KU_DIGITAL_SIGNATURE);
}

TEST_CASE("An issued pair is renewed by the same authority, and not for longer than that lives",
          "[keyholder][authority]")
{
    Rig rig;
    auto keys = load_all(rig.sources, nullptr, pki::now()).value();
    const std::int64_t due = renewal_due(rig.sources, keys);
    const auto renewed = renew(rig.sources, keys, due).value();
    CHECK(renewed[0] != keys[0]);
    CHECK(renewed[0]->facts.not_after == due + kSelfSignedLife);
    const std::int64_t end = crypto::facts_of(*rig.authority()).not_after;
    CHECK(renew(rig.sources, keys, end - kDay).value()[0]->facts.not_after == end);
}

TEST_CASE("An authority that has expired, or whose key is another's, issues nothing", "[keyholder][authority]")
{
    Rig rig;
    CHECK_THAT(load_all(rig.sources, nullptr, pki::now() + kAuthorityLife + 1).error().front().text,
               Catch::Contains("expired"));
    rig.directory.write("k", pki::pem(pki::make_key("EC P-256")));
    CHECK_THAT(load_all(rig.sources, nullptr, pki::now()).error().front().text, Catch::Contains("does not belong"));
}
