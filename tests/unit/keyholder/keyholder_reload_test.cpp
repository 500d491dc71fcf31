// What becomes of keys in force when their files are read again.
#include "keyholder_rig.hpp"

#include <algorithm>

using namespace sallyport;
using namespace sallyport::keyholder;
using namespace sallyport::keyholder::test;

namespace {

/// A pair of files, in force.
struct InForce {
    InForce()
    {
        write_pair(directory);
        rig.add_files(directory.file("c"), directory.file("k"));
        rig.add_tickets();
        loaded = ask<ipc::Loaded>(rig.control, ipc::Load{});
    }

    pki::Directory directory;
    Rig rig;
    ipc::Loaded loaded;
};

} // namespace

TEST_CASE("A good reload is noticed by every worker, and old certificates keep their key", "[keyholder][reload]")
{
    const pki::Directory directory;
    write_pair(directory);
    Rig rig;
    rig.add_files(directory.file("c"), directory.file("k"));
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker one = rig.add_worker();
    Worker two = rig.add_worker();
    const auto before = one.describe_certificate();
    static_cast<void>(two.describe_certificate());

    write_pair(directory);
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    for (Worker* worker : {&one, &two}) {
        const auto changed = worker->next_notice();
        CHECK(changed.certificates);
        CHECK_FALSE(changed.tickets);
    }
    const auto after = one.describe_certificate();
    CHECK(after.chain != before.chain);
    CHECK(verifies(after, ask<ipc::Signature>(one.sign, request_for(after))));
    // A handshake that began before the reload.
    CHECK(verifies(before, ask<ipc::Signature>(two.sign, request_for(before))));
}

TEST_CASE("A bad reload changes nothing", "[keyholder][reload]")
{
    InForce keys;
    auto& [directory, rig, loaded] = keys;
    Worker worker = rig.add_worker();
    const auto before = worker.describe_certificate();

    directory.write("k", pki::pem(pki::make_key("EC P-256")));
    CHECK_THAT(ask<ipc::Failed>(rig.control, ipc::Load{}).text, Catch::Contains("does not belong"));
    const auto after = worker.describe_certificate();
    CHECK(std::ranges::none_of(worker.notices, &ipc::Changed::certificates)); // only that a source is wrong
    CHECK(after.chain == before.chain);
    CHECK(verifies(before, ask<ipc::Signature>(worker.sign, request_for(before))));
}

TEST_CASE("A reload keeps the valid pair while the one in the files is not valid yet", "[keyholder][reload]")
{
    InForce keys;
    auto& [directory, rig, good] = keys;
    Worker worker = rig.add_worker();
    const auto before = worker.describe_certificate();

    const pki::Pair early{"EC P-256", {.days = 30, .starts_in_days = 7}};
    directory.write("c", pki::pem(early.certificate));
    directory.write("k", pki::pem(early.key));
    CHECK(ask<ipc::Loaded>(rig.control, ipc::Load{}).pairs[0].spki_sha256 == good.pairs[0].spki_sha256);
    CHECK(receive<ipc::NotRotated>(rig.control).refusals == 1);
    CHECK(worker.describe_certificate().chain == before.chain);
}

TEST_CASE("Workers are told how many sources are wrong now", "[keyholder][reload]")
{
    const pki::Directory directory;
    const auto write = [&](const std::string& name) {
        const pki::Pair pair{"EC P-256"};
        directory.write(name + ".k", pki::pem(pair.key));
        directory.write(name + ".c", pki::pem(pair.certificate));
        return pki::pem(pair.certificate);
    };
    const std::string first_a = write("a");
    const std::string first_b = write("b");
    Rig rig;
    for (const std::string name : {"a", "b"})
        rig.add_files(directory.file(name + ".c"), directory.file(name + ".k"));
    rig.add_tickets();
    static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
    Worker worker = rig.add_worker();
    const auto hear = [](Worker& whose, std::uint32_t wrong) {
        while (whose.next_notice().wrong != wrong) {
        }
    };
    directory.write("a.c", "no PEM");
    SECTION("by a load that has failed, and one that has not")
    {
        static_cast<void>(ask<ipc::Failed>(rig.control, ipc::Load{}));
        hear(worker, 1);
        directory.write("a.c", first_a);
        static_cast<void>(ask<ipc::Loaded>(rig.control, ipc::Load{}));
        hear(worker, 0);
    }
    SECTION("another one's rotation mends nothing, the old pair that is put back does")
    {
        hear(worker, 1);
        directory.write("b.c", "no PEM");
        hear(worker, 2);
        write("b");
        hear(worker, 1);
        directory.write("a.c", first_a);
        hear(worker, 0);
    }
    SECTION("a load that has failed tells nothing of the others")
    {
        hear(worker, 1);
        directory.write("b.c", "no PEM");
        static_cast<void>(ask<ipc::Failed>(rig.control, ipc::Load{}));
        hear(worker, 2);
        directory.write("b.c", first_b);
        hear(worker, 1);
    }
    SECTION("a worker that comes later hears it first")
    {
        hear(worker, 1);
        Worker later = rig.add_worker();
        CHECK(later.next_notice().wrong == 1);
    }
}
