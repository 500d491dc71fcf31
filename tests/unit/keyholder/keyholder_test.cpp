#include "keyholder_rig.hpp"

#include "keyholder/key_store.hpp"
#include "keyholder/self_signed.hpp"
#include "keyholder/tickets.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
using namespace sallyport::keyholder::test;

TEST_CASE("A keyholder loads, describes, signs, and ends with its gatekeeper", "[keyholder][process]")
{
    const pki::Directory directory;
    write_pair(directory);
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    const auto loaded = ask<ipc::Loaded>(rig.control, ipc::Load{});
    REQUIRE(loaded.pairs.size() == 1);
    CHECK(loaded.pairs[0].key_type == "EC P-256");

    Worker worker = rig.add_worker();
    const auto certificate = worker.describe_certificate();
    CHECK(certificate.private_key.empty());
    CHECK(worker.describe_tickets().keys.size() == 3);
    CHECK(verifies(certificate, ask<ipc::Signature>(worker.sign, request_for(certificate))));

    rig.end();
    CHECK(rig.ended_by == 0);
    std::array<std::byte, 8> room;
    CHECK(worker.sign.receive(room)->size == 0);
}

TEST_CASE("A pair in memory files is loaded again from them", "[keyholder][process]")
{
    const pki::Pair pair{"EC P-256"};
    const std::string cert = pki::pem(pair.certificate);
    const std::string key = pki::pem(pair.key);
    const auto cert_file = sys::sealed_copy(std::as_bytes(std::span{cert})).value();
    const auto key_file = sys::sealed_copy(std::as_bytes(std::span{key})).value();
    Rig rig;
    const std::array descriptors{cert_file.get(), key_file.get()};
    rig.add({.label = "env:SALLYPORT_CERT",
             .certificate = {"env:SALLYPORT_CERT", true},
             .key = {"env:SALLYPORT_KEY", true},
             .passphrase = {},
             .self_signed_names = {}},
            descriptors);
    rig.add_tickets();
    for (int i = 0; i < 2; ++i)
        CHECK(ask<ipc::Loaded>(rig.control, ipc::Load{}).pairs[0].label == "env:SALLYPORT_CERT");
}

TEST_CASE("A failed load says so, and a later one may succeed", "[keyholder][process]")
{
    const pki::Directory directory;
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    const auto failed = ask<ipc::Failed>(rig.control, ipc::Load{});
    CHECK(failed.exit_code == 78);
    CHECK_THAT(failed.text, Catch::Contains(directory.file("c")));
    write_pair(directory);
    CHECK(ask<ipc::Loaded>(rig.control, ipc::Load{}).pairs.size() == 1);
}

TEST_CASE("Workers hear of new ticket keys when an epoch begins", "[keyholder][process][tickets]")
{
    Rig rig;
    rig.add_self_signed();
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker worker = rig.add_worker();
    const auto first = worker.describe_tickets();
    rig.time += kTicketEpoch;
    // Any request makes it look at the clock.
    static_cast<void>(worker.describe_tickets());
    const auto changed = worker.next_notice();
    CHECK(changed.tickets);
    CHECK_FALSE(changed.certificates);
    CHECK(worker.describe_tickets().keys[1].name == first.keys[0].name);
}

TEST_CASE("A self-signed certificate is renewed in time, without a word from outside", "[keyholder][self-signed]")
{
    Rig rig;
    rig.add_self_signed();
    rig.add_tickets();
    const auto loaded = ask<ipc::Loaded>(rig.control, ipc::Load{});
    Worker worker = rig.add_worker();
    const auto before = worker.describe_certificate();
    rig.time = loaded.pairs[0].not_after - kSelfSignedRenewal;
    // Any request makes it look at the clock.
    static_cast<void>(worker.describe_certificate());
    CHECK(worker.next_notice().certificates);
    CHECK(worker.next_notice().tickets);
    const auto after = worker.describe_certificate();
    CHECK(after.chain != before.chain);
    CHECK(verifies(after, ask<ipc::Signature>(worker.sign, request_for(after))));
}

TEST_CASE("A restarted keyholder issues the same ticket keys from the same file", "[keyholder][process][tickets]")
{
    const auto file = sys::empty_file("tickets").value();
    const std::array descriptors{file.get()};
    std::vector<ipc::TicketKey> keys[2];
    for (auto& mine : keys) {
        Rig rig;
        rig.add_self_signed();
        REQUIRE(rig.control.send(ipc::encode(ipc::TicketSecret{}), descriptors).has_value());
        static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
        Worker worker = rig.add_worker();
        rig.time = 1'800'000'000;
        mine = worker.describe_tickets().keys;
    }
    CHECK(keys[0][0].name == keys[1][0].name);
    CHECK(keys[0][0].aes == keys[1][0].aes);
    CHECK(keys[0][0].hmac == keys[1][0].hmac);
}

TEST_CASE("With keys in the worker the key is handed over", "[keyholder][process]")
{
    Rig rig{ipc::KeyPlace::in_worker};
    rig.add_self_signed();
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker worker = rig.add_worker();
    CHECK_FALSE(worker.describe_certificate().private_key.empty());
}

TEST_CASE("A gatekeeper that breaks the protocol ends the keyholder", "[keyholder][process]")
{
    Rig rig;
    SECTION("a message for the worker")
    {
        REQUIRE(rig.control.send(ipc::encode(ipc::Serve{})).has_value());
    }
    SECTION("no message at all")
    {
        REQUIRE(rig.control.send(std::array{std::byte{0}}).has_value());
    }
    SECTION("a load without a ticket secret")
    {
        REQUIRE(rig.control.send(ipc::encode(ipc::Load{})).has_value());
    }
    SECTION("a worker before its keys")
    {
        static_cast<void>(rig.add_worker());
    }
    SECTION("a source without its descriptors")
    {
        ipc::CertificateSource source;
        source.key = {"env:TLS_KEY", true};
        rig.add(source);
    }
    SECTION("a source with a descriptor of no text")
    {
        const std::array one{STDIN_FILENO};
        rig.add(ipc::CertificateSource{}, one);
    }
    SECTION("a source that comes too late")
    {
        rig.add_self_signed();
        rig.add_tickets();
        static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
        rig.add_self_signed();
    }
    std::array<std::byte, 8> room;
    const auto received = rig.control.receive(room);
    CHECK((!received || received->size == 0));
    rig.end();
    CHECK(rig.ended_by == static_cast<int>(ExitCode::software));
}
