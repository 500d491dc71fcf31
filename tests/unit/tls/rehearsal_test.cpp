#include "handshake.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

TEST_CASE("A rehearsal shakes hands once for each certificate of each name, and is shown that one", "[tls][rehearsal]")
{
    std::vector<Entry> entries;
    for (const KeyType type : kKeyTypes)
        if (type != KeyType::ec384) entries.push_back({type, {"a.example"}});
    entries.push_back({KeyType::ec384, {"b.example"}});
    Rig rig{entries};
    REQUIRE(rig.contexts.rehearsals() == kKeyTypes.size());
    for (std::size_t which = 0; which < rig.contexts.rehearsals(); ++which) {
        const auto rehearsed = rig.contexts.rehearse(which);
        CHECK(rehearsed.has_value());
        CAPTURE(which, rehearsed.has_value() ? "" : rehearsed.error());
        CHECK(rig.keyholder.requests().size() == which + 1);
    }
}

TEST_CASE("A rehearsal fails where handshakes would, and names the certificate", "[tls][rehearsal]")
{
    const auto with_another_key = [](FakeKeyholder& keyholder, const ipc::Sign& request) {
        const crypto::KeyHandle other{EVP_EC_gen("P-256")};
        keyholder.answer(request.sequence, sign_as_asked(other.get(), request));
        return true;
    };
    for (const FakeKeyholder::Serve& serve :
         {FakeKeyholder::refuse(), FakeKeyholder::die(), FakeKeyholder::Serve{with_another_key}}) {
        Rig rig{{{KeyType::ec256, {"a.example"}}}, nullptr, serve};
        const auto rehearsed = rig.contexts.rehearse(0);
        REQUIRE_FALSE(rehearsed.has_value());
        CHECK_THAT(rehearsed.error(), Catch::StartsWith("certificate 0: a rehearsed handshake failed: "));
    }
}
