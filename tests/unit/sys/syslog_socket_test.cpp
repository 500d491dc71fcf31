#include "sallyport/sys/syslog_socket.hpp"

#include <array>

#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/base/socket_address.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;

TEST_CASE("What is written to syslog's socket arrives as one datagram", "[sys][syslog]")
{
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("log");
    const UniqueFd daemon{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto address = SocketAddress::parse("unix:" + path).value();
    REQUIRE(::bind(daemon.get(), address.data(), address.size()) == 0);

    const auto socket = sys::connect_syslog(path);
    REQUIRE(socket);
    REQUIRE(::write(socket->get(), "one", 3) == 3);
    REQUIRE(::write(socket->get(), "two", 3) == 3);
    std::array<char, 64> text{};
    REQUIRE(::read(daemon.get(), text.data(), text.size()) == 3);
    CHECK(std::string_view{text.data(), 3} == "one");
}

TEST_CASE("Without a syslog the failed call is told", "[sys][syslog]")
{
    const auto socket = sys::connect_syslog("/nonexistent/log");
    REQUIRE_FALSE(socket);
    CHECK(socket.error().cause == std::errc::no_such_file_or_directory);
    CHECK_FALSE(sys::connect_syslog(std::string(200, 'x')));
}
