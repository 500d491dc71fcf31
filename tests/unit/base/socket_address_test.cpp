#include "sallyport/base/socket_address.hpp"

#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/un.h>

#include "support/catch.hpp"

using sallyport::SocketAddress;

TEST_CASE("An address is printed as it was parsed", "[base][socket_address]")
{
    const std::string text =
        GENERATE(as<std::string>{}, "10.0.0.1:443", "0.0.0.0:1", "255.255.255.255:65535", "[::1]:443",
                 "[2001:db8::7]:8443", "unix:/run/app.sock", "unix:@abstract", "unix:relative.sock");
    CAPTURE(text);
    const auto address = SocketAddress::parse(text);
    REQUIRE(address);
    CHECK(address->text() == text);
    CHECK(SocketAddress::from_bytes(address->bytes()) == address);
}

TEST_CASE("What is not exactly an address is refused", "[base][socket_address]")
{
    const std::string text =
        GENERATE(as<std::string>{}, "", ":443", "443", "10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536",
                 "10.0.0.1:-1", "10.0.0.1:+1", "10.0.0.1:44 ", "10.0.0.256:1", "010.0.0.1:1", "localhost:80", "::1:443",
                 "[::1]", "[::1]:", "[::g]:1", "[10.0.0.1]:1", "[::1:443", "unix:");
    CAPTURE(text);
    CHECK_FALSE(SocketAddress::parse(text));
}

TEST_CASE("A Unix path may have 107 bytes and no more", "[base][socket_address]")
{
    const std::string longest = "unix:/" + std::string(106, 'x');
    REQUIRE(SocketAddress::parse(longest));
    CHECK(SocketAddress::parse(longest)->text() == longest);
    CHECK_FALSE(SocketAddress::parse(longest + "x"));
}

TEST_CASE("An address knows its family, port and path", "[base][socket_address]")
{
    CHECK(SocketAddress::parse("10.0.0.1:443")->port() == 443);
    CHECK(SocketAddress::parse("10.0.0.1:443")->family() == AF_INET);
    CHECK(SocketAddress::parse("[::1]:8443")->port() == 8443);
    CHECK(SocketAddress::parse("[::1]:8443")->family() == AF_INET6);
    CHECK(SocketAddress::parse("[::1]:8443")->unix_path().empty());
    CHECK(SocketAddress::parse("unix:/run/x")->is_unix());
    CHECK(SocketAddress::parse("unix:/run/x")->port() == 0);
    CHECK(SocketAddress::parse("unix:/run/x")->unix_path() == "/run/x");
    CHECK(SocketAddress::parse("unix:@x")->unix_path().empty());
}

TEST_CASE("An IPv4 client of a dual-stack socket is printed as IPv4", "[base][socket_address]")
{
    CHECK(SocketAddress::parse("[::ffff:192.0.2.7]:1234")->text() == "192.0.2.7:1234");
}

TEST_CASE("An unnamed Unix peer has a text", "[base][socket_address]")
{
    sockaddr_un unnamed{};
    unnamed.sun_family = AF_UNIX;
    const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&unnamed), sizeof(sa_family_t));
    REQUIRE(address);
    CHECK(address->text() == "unix:");
    CHECK(address->unix_path().empty());
}

TEST_CASE("Bytes of a wrong size or family are no address", "[base][socket_address]")
{
    const auto ipv4 = *SocketAddress::parse("10.0.0.1:443");
    for (std::size_t size = 0; size < ipv4.bytes().size(); ++size)
        CHECK_FALSE(SocketAddress::from_bytes(ipv4.bytes().first(size)));

    sockaddr_storage other{};
    other.ss_family = AF_NETLINK;
    CHECK_FALSE(SocketAddress::from(reinterpret_cast<const sockaddr*>(&other), sizeof(sockaddr_in)));
    other.ss_family = AF_INET;
    CHECK_FALSE(SocketAddress::from(reinterpret_cast<const sockaddr*>(&other), sizeof(sockaddr_in6)));
    CHECK_FALSE(SocketAddress::from_bytes(std::vector<std::byte>(sizeof(sockaddr_storage) + 1)));
}

TEST_CASE("Addresses are equal exactly when all of their bytes are", "[base][socket_address]")
{
    CHECK(SocketAddress::parse("10.0.0.1:443") == SocketAddress::parse("10.0.0.1:443"));
    CHECK_FALSE(SocketAddress::parse("10.0.0.1:443") == SocketAddress::parse("10.0.0.1:444"));
    CHECK_FALSE(SocketAddress::parse("10.0.0.1:443") == SocketAddress::parse("[::ffff:10.0.0.1]:443"));
}
