// What this machine's files say of names.
#include "gatekeeper/names.hpp"

#include <map>

#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;

namespace {

std::vector<std::string> texts(const std::vector<SocketAddress>& addresses)
{
    std::vector<std::string> all;
    for (const SocketAddress& address : addresses)
        all.push_back(address.text());
    return all;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("Name servers, search domains and options are those of resolv.conf", "[gatekeeper][names]")
{
    const auto service = name_service_of({}, "# made by kubelet\r\n"
                                             "nameserver 10.96.0.10\r\n"
                                             "\tnameserver   fd00::10  ; the other\n"
                                             "nameserver fe80::1%eth0\n"
                                             "search shop.svc.cluster.local svc.cluster.local. cluster.local\n"
                                             "options ndots:5 edns0 attempts:3 timeout:30 ndots:x ndots\n"
                                             "sortlist 10.0.0.0");
    CHECK(texts(service.servers) == Texts{"10.96.0.10:53", "[fd00::10]:53"});
    CHECK(service.search == Texts{"shop.svc.cluster.local", "svc.cluster.local", "cluster.local"});
    CHECK(service.ndots == 5);
    CHECK(service.attempts == 3);
    CHECK(service.timeout_ms == 2000);
    CHECK(service.min_ttl_ms == 1000);
    CHECK(service.max_ttl_ms == 60'000);
}

TEST_CASE("Without a file the name server is this machine's, as the C library has it", "[gatekeeper][names]")
{
    const auto service = name_service_of({}, "");
    CHECK(texts(service.servers) == Texts{"127.0.0.1:53"});
    CHECK(service.search.empty());
    CHECK(service.ndots == 1);
    CHECK(service.attempts == 2);
}

TEST_CASE("The last of search and domain counts, and no number goes beyond its bound", "[gatekeeper][names]")
{
    const auto service = name_service_of({}, "search a b\ndomain c\noptions ndots:99 attempts:0\n");
    CHECK(service.search == Texts{"c"});
    CHECK(service.ndots == 15);
    CHECK(service.attempts == 1);
}

TEST_CASE("Configured name servers replace those of the file, whose search domains stay", "[gatekeeper][names]")
{
    const config::Dns dns{.servers = {SocketAddress::parse("127.0.0.1:8600").value()}};
    const auto service = name_service_of(dns, "nameserver 10.0.0.2\nsearch a.test\n");
    CHECK(texts(service.servers) == Texts{"127.0.0.1:8600"});
    CHECK(service.search == Texts{"a.test"});
}

TEST_CASE("A line of hosts gives its address to each of its names", "[gatekeeper][names]")
{
    const std::string_view hosts = "127.0.0.1 localhost\n"
                                   "10.0.0.5\tapp.internal  APP # app.comment\n"
                                   "fd00::5 app.internal\n"
                                   "10.0.0.5 app.internal\n"
                                   "nonsense app.internal\n"
                                   "10.0.0.6 app.internal.example";
    CHECK(texts(addresses_in_hosts(hosts, "app.internal", 80)) == Texts{"10.0.0.5:80", "[fd00::5]:80"});
    CHECK(texts(addresses_in_hosts(hosts, "App.Internal.", 80)).size() == 2);
    CHECK(texts(addresses_in_hosts(hosts, "app", 7766)) == Texts{"10.0.0.5:7766"});
    CHECK(addresses_in_hosts(hosts, "app.comment", 80).empty());
    CHECK(addresses_in_hosts(hosts, "internal", 80).empty());
}

TEST_CASE("Names that hosts has become addresses; only for others is a name service told", "[gatekeeper][names]")
{
    std::vector<std::string> read;
    const sys::ReadText files = [&](const std::string& path) -> std::optional<std::string> {
        read.push_back(path);
        return path == "/etc/hosts" ? "10.0.0.5 app.internal\n" : "nameserver 10.0.0.2\n";
    };
    Settings settings;
    settings.upstreams = {{.name = "app", .addresses = {{.address = SocketAddress::parse("127.0.0.1:1").value()}}}};
    take_names(settings, {}, files);
    CHECK(read.empty()); // nothing to look up
    settings.upstreams.front().addresses.push_back({.host = "app.internal", .port = 80});
    take_names(settings, {}, files);
    CHECK(read == Texts{"/etc/hosts"});
    CHECK_FALSE(settings.names);
    REQUIRE(settings.upstreams.front().addresses.size() == 2);
    CHECK(settings.upstreams.front().addresses[1].address.text() == "10.0.0.5:80");
    settings.upstreams.push_back({.name = "other", .addresses = {{.host = "other.internal", .port = 80}}});
    take_names(settings, {}, files);
    REQUIRE(settings.names);
    CHECK(texts(settings.names->servers) == Texts{"10.0.0.2:53"});
    CHECK(settings.upstreams.back().addresses.front().host == "other.internal");
}
