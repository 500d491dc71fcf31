#include "gatekeeper/bypass.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace std::chrono_literals;

namespace {

ipc::Upstream upstream(const std::string& address, const std::string& name = "app")
{
    return {.name = name, .addresses = {{.address = SocketAddress::parse(address).value()}}};
}

ListeningSocket listening(const std::string& address, std::uint64_t inode = 1)
{
    return {.address = SocketAddress::parse(address).value(), .inode = inode, .uid = 0};
}

} // namespace

TEST_CASE("A row gives the address that is listened on", "[gatekeeper][bypass]")
{
    const auto [local, address] = GENERATE(table<std::string, std::string>({
        {"00000000:1E56", "0.0.0.0:7766"},
        {"0100007F:1E56", "127.0.0.1:7766"},
        {"0A01A8C0:01BB", "192.168.1.10:443"},
        {"00000000000000000000000000000000:1E56", "[::]:7766"},
        {"00000000000000000000000001000000:1E56", "[::1]:7766"},
        {"B80D0120000000000000000001000000:0050", "[2001:db8::1]:80"},
        {"0000000000000000FFFF00000100007F:1E56", "127.0.0.1:7766"},
    }));
    const std::string row =
        "   0: " + local + " 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001 0 812345 1";
    const auto socket = parse_listening(row);
    REQUIRE(socket);
    CHECK(socket->address.text() == address);
    CHECK(socket->inode == 812345);
    CHECK(socket->uid == 10001);
}

TEST_CASE("A row that is no listening socket, or not understood, gives nothing", "[gatekeeper][bypass]")
{
    const auto local =
        GENERATE(as<std::string>{}, "", ":1E56", "0100007F", "0100007F:", "0100007F:1E560", "0100007G:1E56",
                 "0100007:1E56", "00000000000000000000000001000000F:1E56", "-100007F:1E56");
    CHECK_FALSE(parse_listening("   0: " + local + " 00000000:0000 0A 0:0 00:0 0 10001 0 812345 1"));
    CHECK_FALSE(parse_listening("   0: 0100007F:1E56 0100007F:C350 01 0:0 00:0 0 10001 0 812345 1"));
    CHECK_FALSE(parse_listening("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"));
    CHECK_FALSE(parse_listening(""));
}

TEST_CASE("An app of loopback is exposed by its port on any other address", "[gatekeeper][bypass]")
{
    const auto [address, exposed] = GENERATE(table<std::string, bool>({
        {"127.0.0.1:7766", false},
        {"127.0.0.2:7766", false},
        {"[::1]:7766", false},
        {"0.0.0.0:7766", true},
        {"[::]:7766", true},
        {"10.0.0.5:7766", true},
        {"[2001:db8::1]:7766", true},
        {"0.0.0.0:7767", false},
    }));
    CAPTURE(address);
    CHECK(exposures({upstream("127.0.0.1:7766")}, {{listening(address)}, {}}, {}).empty() != exposed);
    CHECK(exposures({upstream("[::1]:7766")}, {{listening(address)}, {}}, {}).empty() != exposed);
}

TEST_CASE("A socket of IPv4-mapped loopback is one of loopback", "[gatekeeper][bypass]")
{
    const auto socket = parse_listening("0: 0000000000000000FFFF00000100007F:1E56 0:0 0A 0 0 0 0 0 1");
    REQUIRE(socket);
    CHECK(exposures({upstream("127.0.0.1:7766")}, {{*socket}, {}}, {}).empty());
}

TEST_CASE("An app of another address of this machine is exposed by all that hold that address", "[gatekeeper][bypass]")
{
    const auto [app, address, exposed] = GENERATE(table<std::string, std::string, bool>({
        {"10.0.0.5:7766", "10.0.0.5:7766", true},
        {"10.0.0.5:7766", "0.0.0.0:7766", true},
        {"10.0.0.5:7766", "[::]:7766", true},
        {"[2001:db8::1]:7766", "[::]:7766", true},
        {"10.0.0.5:7766", "10.0.0.6:7766", false},
        {"10.0.0.5:7766", "0.0.0.0:7767", false},
        {"[2001:db8::1]:7766", "0.0.0.0:7766", false},
        {"10.0.0.9:7766", "0.0.0.0:7766", false}, // of another machine
        {"unix:/run/app.sock", "0.0.0.0:7766", false},
    }));
    CAPTURE(app, address);
    const std::vector<SocketAddress> own{listening("10.0.0.5:1").address.with_port(0),
                                         listening("[2001:db8::1]:1").address.with_port(0)};
    CHECK(exposures({upstream(app)}, {{listening(address)}, own}, {}).size() == (exposed ? 1 : 0));
}

TEST_CASE("This machine's addresses are known", "[gatekeeper][bypass]")
{
    const auto around = look_around();
    REQUIRE(around);
    CHECK(std::ranges::count(around->addresses, listening("127.0.0.1:1").address.with_port(0)) == 1);
}

TEST_CASE("Our own listener with the app's port number exposes nothing", "[gatekeeper][bypass]")
{
    const std::vector<ListeningSocket> table{listening("0.0.0.0:7766", 41), listening("10.0.0.5:7766", 42)};
    const auto found = exposures({upstream("127.0.0.1:7766")}, {table, {}}, {41});
    CHECK(found == std::set<Exposure>{{"app", "10.0.0.5:7766"}});
}

TEST_CASE("The inodes of our listeners are those that /proc shows", "[gatekeeper][bypass]")
{
    std::vector<BoundListener> listeners(1);
    listeners[0].sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::listen(listeners[0].sockets[0].get(), 1) == 0); // on an ephemeral port of every address
    const auto inodes = inodes_of(listeners);
    REQUIRE(inodes.size() == 1);
    const auto table = listening_sockets();
    REQUIRE(table);
    CHECK(std::ranges::count(*table, *inodes.begin(), &ListeningSocket::inode) == 1);
}

TEST_CASE("The watch looks again after a look that failed", "[gatekeeper][bypass]")
{
    std::optional<Neighbourhood> table;
    BypassWatch watch{{upstream("127.0.0.1:7766")}, {}, true, [&] { return table; }};
    const TimePoint start = Clock::now();
    CHECK_FALSE(watch.forbids(start));
    table = Neighbourhood{{listening("0.0.0.0:7766")}, {}};
    CHECK(watch.forbids(start + 5s));
}

TEST_CASE("The watch looks every five seconds, and forbids only if it is strict", "[gatekeeper][bypass]")
{
    const bool strict = GENERATE(false, true);
    std::vector<ListeningSocket> table;
    int looks = 0;
    BypassWatch watch{{upstream("127.0.0.1:7766")}, {}, strict, [&] {
                          ++looks;
                          return std::optional{Neighbourhood{table, {}}};
                      }};
    CHECK((watch.due() <= Clock::now()) == strict); // where it decides, nothing starts before it has looked
    const TimePoint start = Clock::now() + BypassWatch::kFirst;
    CHECK_FALSE(watch.forbids(start));
    CHECK(watch.due() == start + BypassWatch::kPeriod);
    table = {listening("0.0.0.0:7766")};
    CHECK_FALSE(watch.forbids(start + 4s));
    CHECK(looks == 1);
    CHECK(watch.forbids(start + 5s) == strict);
    CHECK(watch.reason().find("0.0.0.0:7766") != std::string::npos);
    table.clear();
    CHECK_FALSE(watch.forbids(start + 10s));
    CHECK(looks == 3);
    CHECK(watch.reason().empty());
}

TEST_CASE("Where nothing can be exposed nobody looks", "[gatekeeper][bypass]")
{
    int looks = 0;
    BypassWatch watch{{upstream("unix:/run/app.sock")}, {}, true, [&] {
                          ++looks;
                          return std::optional<Neighbourhood>{};
                      }};
    CHECK_FALSE(watch.forbids(Clock::now()));
    CHECK(looks == 0);
    CHECK(watch.due() == TimePoint::max());
}

TEST_CASE("The watch of a new configuration looks at once, for its own apps, with its own strictness",
          "[gatekeeper][bypass]")
{
    const std::vector<ListeningSocket> table{listening("0.0.0.0:7766")};
    BypassWatch watch{{upstream("127.0.0.1:7000")}, {}, false, [&] { return std::optional{Neighbourhood{table, {}}}; }};
    const TimePoint start = Clock::now() + BypassWatch::kFirst;
    CHECK_FALSE(watch.forbids(start));
    watch.watch({upstream("127.0.0.1:7766")}, {}, true);
    CHECK(watch.forbids(start));
    watch.watch({upstream("unix:/run/app.sock")}, {}, true);
    CHECK_FALSE(watch.forbids(start));
    CHECK(watch.due() == TimePoint::max());
}
