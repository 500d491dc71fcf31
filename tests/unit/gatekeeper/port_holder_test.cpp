#include "gatekeeper/port_holder.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace sallyport::gatekeeper;

namespace {

// Recorded on Linux 6.1: 443 listening, 443 connected (state 01), 8080 listening.
constexpr std::string_view kTable =
    R"(  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 812345 1 0000000000000000 100 0 0 10 0
   1: 0100007F:01BB 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 812399 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 812400 1 0000000000000000 100 0 0 10 0
)";

constexpr std::string_view kTable6 =
    R"(  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 9001 1 0000000000000000 100 0 0 10 0
)";

sallyport::SocketAddress at(const char* text)
{
    return *sallyport::SocketAddress::parse(text);
}

} // namespace

TEST_CASE("Only listening rows of the port name its holder", "[gatekeeper][port-holder]")
{
    CHECK(listening_on(kTable, 443) == std::vector<ListeningSocket>{{at("0.0.0.0:443"), 812345, 0}});
    CHECK(listening_on(kTable, 8080) == std::vector<ListeningSocket>{{at("127.0.0.1:8080"), 812400, 10001}});
    CHECK(listening_on(kTable6, 443) == std::vector<ListeningSocket>{{at("[::]:443"), 9001, 33}});
    CHECK(listening_on(kTable, 50000).empty());
}

TEST_CASE("Rows that are not understood are left out", "[gatekeeper][port-holder]")
{
    CHECK(listening_on("", 443).empty());
    CHECK(listening_on("garbage\n\n0: 00000000:01BB\n", 443).empty());
    CHECK(listening_on("0: 0:01BB 0:0 0A 0 0 0 x 0 y\n", 443).empty());
}

TEST_CASE("The process that listens on a port is named with its pid", "[gatekeeper][port-holder]")
{
    const sallyport::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket.get(), 1) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);

    CHECK(holder_of(ntohs(address.sin_port)) == "unit_gatekeeper (pid " + std::to_string(::getpid()) + ")");
}
