#include "sallyport/privsep/profiles.hpp"

#include <algorithm>
#include <set>

#include "support/catch.hpp"

using namespace sallyport::privsep;

namespace {

std::ptrdiff_t holders(bool Profile::* power)
{
    return std::ranges::count_if(kProfiles, [&](const Profile& row) { return row.*power; });
}

} // namespace

TEST_CASE("Each process has its own row", "[privsep][profiles]")
{
    std::set<std::string_view> names, executables;
    for (const Process process : {Process::gatekeeper, Process::keyholder, Process::worker}) {
        CHECK(profile(process).process == process);
        names.insert(profile(process).name);
        executables.insert(profile(process).executable);
    }
    CHECK(names.size() == kProfiles.size());
    CHECK(executables.size() == kProfiles.size());
}

TEST_CASE("One power, one process", "[privsep][profiles]")
{
    CHECK(holders(&Profile::binds_ports) == 1);
    CHECK(holders(&Profile::holds_private_keys) == 1);
    CHECK(holders(&Profile::reads_network) == 1);
    CHECK(holders(&Profile::starts_processes) == 1);
    CHECK(profile(Process::gatekeeper).binds_ports);
    CHECK(profile(Process::keyholder).holds_private_keys);
    CHECK(profile(Process::worker).reads_network);
    CHECK_FALSE(profile(Process::worker).reads_files);
}

TEST_CASE("The starter has no power but to start, and no cage that the app would inherit", "[privsep][profiles]")
{
    CHECK(kStarter.starts_processes);
    CHECK_FALSE(
        (kStarter.binds_ports || kStarter.reads_files || kStarter.holds_private_keys || kStarter.reads_network));
    CHECK_FALSE(kStarter.keeps_net_bind_service);
    CHECK_FALSE(kStarter.raises_descriptor_limit);
    CHECK(kStarter.no_new_privs);
    CHECK_FALSE(kStarter.dumpable);
    CHECK(kStarter.calls.empty());
    CHECK(kStarter.files == Reach::unlimited);
}

TEST_CASE("Who reads the network holds no key and no capability", "[privsep][profiles]")
{
    for (const Profile& row : kProfiles) {
        CAPTURE(row.name);
        CHECK_FALSE((row.reads_network && (row.holds_private_keys || row.keeps_net_bind_service)));
        CHECK(row.keeps_net_bind_service == row.binds_ports);
        CHECK(row.no_new_privs);
        CHECK_FALSE(row.dumpable);
        CHECK_FALSE(row.core_dumps);
    }
}
