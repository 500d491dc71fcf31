#include "tls/context_plan.hpp"

#include "support/catch.hpp"

using namespace sallyport::tls;

TEST_CASE("Certificates of different key types for one name share a context", "[tls]")
{
    const std::vector<CertificateNames> certificates{{KeyKind::ec, {"a.example", "b.example"}},
                                                     {KeyKind::rsa, {"a.example"}}};
    const ContextPlan plan = plan_contexts(certificates);
    CHECK(plan.sets == std::vector<CertificateSet>{{0, 1}, {0}});
    CHECK(plan.names == std::map<std::string, std::size_t>{{"a.example", 0}, {"b.example", 1}});
}

TEST_CASE("Of two certificates of one type for one name the first one serves", "[tls]")
{
    const std::vector<CertificateNames> certificates{{KeyKind::ec, {"a.example"}},
                                                     {KeyKind::ec, {"a.example", "b.example"}}};
    const ContextPlan plan = plan_contexts(certificates);
    CHECK(plan.sets == std::vector<CertificateSet>{{0}, {1}});
    CHECK(plan.names == std::map<std::string, std::size_t>{{"a.example", 0}, {"b.example", 1}});
}

TEST_CASE("The first certificate is in the default context whatever the others are called", "[tls]")
{
    const std::vector<CertificateNames> certificates{
        {KeyKind::rsa, {"z.example"}}, {KeyKind::ec, {"a.example"}}, {KeyKind::ed25519, {"z.example"}}};
    const ContextPlan plan = plan_contexts(certificates);
    CHECK(plan.sets.front() == CertificateSet{0, 2});
    CHECK(plan.sets.at(plan.names.at("a.example")) == CertificateSet{1});
}

TEST_CASE("A first certificate without a name is the default one, alone", "[tls]")
{
    const std::vector<CertificateNames> certificates{{KeyKind::ec, {}}, {KeyKind::rsa, {"a.example"}}};
    const ContextPlan plan = plan_contexts(certificates);
    CHECK(plan.sets == std::vector<CertificateSet>{{0}, {1}});
    CHECK(plan.names == std::map<std::string, std::size_t>{{"a.example", 1}});
}

TEST_CASE("An exact name is not joined with a wildcard that would cover it", "[tls]")
{
    const std::vector<CertificateNames> certificates{{KeyKind::ec, {"www.a.example"}}, {KeyKind::rsa, {"*.a.example"}}};
    const ContextPlan plan = plan_contexts(certificates);
    CHECK(plan.sets.at(plan.names.at("www.a.example")) == CertificateSet{0});
    CHECK(plan.sets.at(plan.names.at("*.a.example")) == CertificateSet{1});
}
