#include "sallyport/sys/listen_socket.hpp"

#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

SocketAddress loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return *SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

SocketAddress loopback6(std::uint16_t port)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(port);
    return *SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

SocketAddress unix_socket(const std::string& path)
{
    return *SocketAddress::parse("unix:" + path);
}

bool accepts(const SocketAddress& address)
{
    const UniqueFd client{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return ::connect(client.get(), address.data(), address.size()) == 0;
}

int option(const UniqueFd& socket, int level, int name)
{
    int value{-1};
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(socket.get(), level, name, &value, &size) == 0);
    return value;
}

mode_t permissions(const std::string& path)
{
    struct stat file{};
    REQUIRE(::stat(path.c_str(), &file) == 0);
    return file.st_mode & 07777;
}

} // namespace

TEST_CASE("A listening TCP socket is non-blocking, close-on-exec and accepts", "[sys][listen]")
{
    const auto socket = listen_tcp(loopback(0), false);
    REQUIRE(socket);
    CHECK(::fcntl(socket->get(), F_GETFD) == FD_CLOEXEC);
    CHECK((::fcntl(socket->get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK(option(*socket, SOL_SOCKET, SO_ACCEPTCONN) == 1);
    CHECK(option(*socket, SOL_SOCKET, SO_REUSEPORT) == 0);
    CHECK(option(*socket, IPPROTO_TCP, TCP_DEFER_ACCEPT) == 0);
    const auto address = local_address(socket->get());
    REQUIRE(address);
    CHECK(address->port() != 0);
    CHECK(accepts(*address));
}

TEST_CASE("Who connects before anybody accepts has every option too", "[sys][listen]")
{
    // Nagle's algorithm with a delayed ACK costs 40 ms, and a vanished peer that nobody probes a descriptor.
    const auto socket = listen_tcp(loopback(0), false);
    REQUIRE(socket);
    const auto address = *local_address(socket->get());
    const UniqueFd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::connect(client.get(), address.data(), address.size()) == 0);
    const UniqueFd accepted{::accept(socket->get(), nullptr, nullptr)};
    REQUIRE(accepted);
    CHECK(option(accepted, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(accepted, SOL_SOCKET, SO_KEEPALIVE) == 1);
}

TEST_CASE("An address that is taken is refused with the kernel's reason", "[sys][listen]")
{
    const auto first = listen_tcp(loopback(0), false);
    REQUIRE(first);
    const auto second = listen_tcp(*local_address(first->get()), false);
    REQUIRE_FALSE(second);
    CHECK(second.error().cause == std::errc::address_in_use);
    CHECK(second.error().fault == Fault::internal);
}

TEST_CASE("An address that is not ours is refused with the kernel's reason", "[sys][listen]")
{
    const auto refused = listen_tcp(*SocketAddress::parse("192.0.2.1:8443"), false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause == std::errc::address_not_available);
}

TEST_CASE("With reuse_port every shard gets a socket of its own", "[sys][listen]")
{
    const auto first = listen_tcp(loopback(0), true);
    REQUIRE(first);
    CHECK(option(*first, SOL_SOCKET, SO_REUSEPORT) == 1);
    const auto address = *local_address(first->get());
    CHECK(listen_tcp(address, true));
    CHECK_FALSE(listen_tcp(address, false));
}

TEST_CASE("The any-address socket takes both families", "[sys][listen]")
{
    const auto socket = listen_any(0, false);
    REQUIRE(socket);
    const auto address = local_address(socket->get());
    REQUIRE(address);
    CHECK(accepts(loopback(address->port())));
    if (address->family() == AF_INET6) CHECK(accepts(loopback6(address->port())));
}

TEST_CASE("An IPv6 address takes IPv6 only, so IPv4 can have a socket of its own", "[sys][listen]")
{
    const auto six = listen_tcp(loopback6(0), false);
    INFO("this test needs IPv6 on the loopback interface");
    REQUIRE(six);
    CHECK(option(*six, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
}

TEST_CASE("A Unix socket has the permissions that were asked for", "[sys][listen]")
{
    const test::TemporaryDirectory directory;
    const mode_t mode = GENERATE(mode_t{0600}, mode_t{0660}, mode_t{0666}, mode_t{0777});
    const std::string path = directory.file("socket");
    const auto socket = listen_unix(unix_socket(path), mode);
    REQUIRE(socket);
    CHECK(permissions(path) == mode);
    CHECK(accepts(unix_socket(path)));
}

TEST_CASE("A stale socket file is replaced, a living one is not", "[sys][listen]")
{
    const test::TemporaryDirectory directory;
    const auto address = unix_socket(directory.file("socket"));
    auto first = listen_unix(address, 0600);
    REQUIRE(first);

    const auto while_alive = listen_unix(address, 0600);
    REQUIRE_FALSE(while_alive);
    CHECK(while_alive.error().cause == std::errc::address_in_use);
    CHECK(accepts(address)); // the living one was left in peace

    first->reset(); // its file stays, as after a crash
    const auto second = listen_unix(address, 0600);
    CHECK(second);
    CHECK(accepts(address));
}

TEST_CASE("A file that is no socket is never replaced", "[sys][listen]")
{
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("precious");
    std::ofstream{path} << "data";
    const auto refused = listen_unix(unix_socket(path), 0600);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause == std::errc::address_in_use);
    CHECK(remove_socket_file(unix_socket(path)));
    CHECK(::access(path.c_str(), F_OK) == 0);
}

TEST_CASE("An abstract Unix socket has no file", "[sys][listen]")
{
    const auto address = *SocketAddress::parse("unix:@sallyport-unit-test-" + std::to_string(::getpid()));
    const auto socket = listen_unix(address, 0600);
    REQUIRE(socket);
    CHECK(accepts(address));
    CHECK_FALSE(listen_unix(address, 0600));
    CHECK(remove_socket_file(address));
}

TEST_CASE("A socket file is removed once", "[sys][listen]")
{
    const test::TemporaryDirectory directory;
    const auto address = unix_socket(directory.file("socket"));
    REQUIRE(listen_unix(address, 0600));
    CHECK(remove_socket_file(address));
    CHECK(::access(address.unix_path().c_str(), F_OK) != 0);
    CHECK(remove_socket_file(address));
}

TEST_CASE("An inherited listening socket is adopted, and stays open", "[sys][listen]")
{
    const auto original = listen_tcp(loopback(0), false);
    REQUIRE(original);
    REQUIRE(::fcntl(original->get(), F_SETFD, 0) == 0);
    REQUIRE(::fcntl(original->get(), F_SETFL, 0) == 0);
    {
        const auto adopted = adopt_listening(original->get());
        REQUIRE(adopted);
        CHECK(local_address(adopted->get()).value() == local_address(original->get()).value());
        CHECK(::fcntl(adopted->get(), F_GETFD) == FD_CLOEXEC);
        CHECK((::fcntl(adopted->get(), F_GETFL) & O_NONBLOCK) != 0);
    }
    CHECK(is_listening(original->get()) == true);
}

TEST_CASE("A socket that is bound alone takes nobody until it listens", "[sys][listen]")
{
    const auto every = listen_any(0, false);
    REQUIRE(every);
    const std::uint16_t port = local_address(every->get())->port();
    CHECK_FALSE(listen_tcp(loopback(port), true));
    REQUIRE(share_port(every->get()));
    const auto one = listen_tcp(loopback(port), true, Listens::later);
    REQUIRE(one);
    CHECK(is_listening(one->get()) == false);
    CHECK(accepts(loopback(port)));
    CHECK(keep_listening(one->get()) == true);
    CHECK(keep_listening(one->get()) == false);
}

TEST_CASE("What does not listen is not adopted, and stays open", "[sys][listen]")
{
    const UniqueFd file{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const UniqueFd unbound{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const UniqueFd datagrams{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const UniqueFd messages{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    const auto name = *SocketAddress::parse("unix:@sallyport-seqpacket-" + std::to_string(::getpid()));
    REQUIRE(::bind(messages.get(), name.data(), name.size()) == 0);
    REQUIRE(::listen(messages.get(), 1) == 0);
    for (const UniqueFd* fd : {&file, &unbound, &datagrams, &messages}) {
        const auto refused = adopt_listening(fd->get());
        REQUIRE_FALSE(refused);
        CHECK(refused.error().fault == Fault::malformed);
        CHECK(::fcntl(fd->get(), F_GETFD) >= 0);
    }
    CHECK_FALSE(adopt_listening(1000));
}
