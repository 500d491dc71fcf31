#include "gatekeeper/health.hpp"

#include <sstream>

#include "support/catch.hpp"

using namespace sallyport;
using gatekeeper::verdict_of;

TEST_CASE("A verdict is the response's status and its lines", "[gatekeeper][health]")
{
    const auto [response, is_good, line] = GENERATE(table<std::string, bool, std::string>({
        {"HTTP/1.1 200 OK\r\na: b\r\n\r\nhealthy\n", true, "healthy"},
        {"HTTP/1.1 503 Service Unavailable\r\n\r\ndraining\nwaiting for upstream a\n", false,
         "draining; waiting for upstream a"},
        {"HTTP/1.1 200 OK\r\n", false, "unhealthy: no valid answer"},
        {"", false, "unhealthy: no valid answer"},
        {"SSH-2.0\r\n\r\n", false, "unhealthy: no valid answer"},
        {"HTTP/1.1 2000 OK\r\n\r\nx", false, "x"},
    }));
    CAPTURE(response);
    const auto verdict = verdict_of(response);
    CHECK(verdict.is_good == is_good);
    CHECK(verdict.line == line);
}

TEST_CASE("Of the kernel's table only listening names of our form count, and not too many", "[gatekeeper][health]")
{
    const std::string row = "0000000000000000: 00000002 00000000 00010000 0001 01 20215 ";
    const std::string connected = "0000000000000000: 00000003 00000000 00000000 0001 03 20216 ";
    std::istringstream table{"Num       RefCount Protocol Flags    Type St Inode Path\n" + row + "/run/app.sock\n" +
                             row + "@sallyport-0123456789abcdef\n" + connected + "@sallyport-0123456789abcdee\n" + row +
                             "@sallyport-liar\n" + row + "@another-0123456789abcdef\n" +
                             "0000000000000000: 00000002 00000000 00010000 0001 01 20217\n" + row +
                             "@sallyport-fedcba9876543210\n"};
    const auto endpoints = gatekeeper::endpoints_in(table);
    REQUIRE(endpoints.size() == 2);
    CHECK(endpoints[0].text() == "unix:@sallyport-0123456789abcdef");
    CHECK(endpoints[1].text() == "unix:@sallyport-fedcba9876543210");

    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += row + "@sallyport-0123456789abcdef\n";
    std::istringstream flood{many};
    CHECK(gatekeeper::endpoints_in(flood).size() == 16);
}
