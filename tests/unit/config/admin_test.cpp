#include "support/catch.hpp"
#include "unit/config/loading.hpp"

using namespace sallyport;
using namespace sallyport::config;
using namespace std::chrono_literals;

namespace {

std::string place_of(const Input& given)
{
    const auto place = find_admin(given.sources());
    if (!place) return place.error().front().print();
    return place->address ? place->address->text() : "none";
}

} // namespace

TEST_CASE("The admin endpoint is a Unix socket, a port of loopback, or none", "[config][admin]")
{
    const auto [bind, place] = GENERATE(table<std::string, std::string>({
        {"none", "none"},
        {"unix:@a", "unix:@a"},
        {"unix:/run/a.sock", "unix:/run/a.sock"},
        {"127.0.0.1:9901", "127.0.0.1:9901"},
        {"'[::1]:9901'", "[::1]:9901"},
    }));
    const Input given{.text = file_with("admin: {bind: " + bind + "}")};
    CHECK(admin_address(loaded(given)).value_or(SocketAddress{}) ==
          SocketAddress::parse(place).value_or(SocketAddress{}));
    CHECK(place_of(given) == place);
}

TEST_CASE("What other machines could reach is no admin endpoint", "[config][admin]")
{
    const auto bind = GENERATE(as<std::string>{}, "0.0.0.0:9901", "'[::]:9901'", "10.0.0.1:9901");
    CHECK(mistakes_of({.text = file_with("admin: {bind: " + bind + "}")})
              .find("can be reached from other machines, and it answers without TLS and without a password; write "
                    "'auto', 'none', 'unix:@name', 'unix:/run/x.sock' or '127.0.0.1:9901'") != std::string::npos);
    CHECK(mistakes_of({.text = file_with("admin: {bind: somewhere}")}) ==
          "3:15: bind 'somewhere' is not an address; write 'auto', 'none', 'unix:@name', 'unix:/run/x.sock' or "
          "'127.0.0.1:9901'");
}

TEST_CASE("The default follows from the listeners alone", "[config][admin]")
{
    const std::string one = place_of({.text = file_with("")});
    CHECK(one.starts_with("unix:@sallyport-"));
    CHECK(place_of({.text = file_with("shards: 3", "7767")}) == one);
    CHECK(place_of({.flags = {{"to", "1"}, {"self-signed", "true"}}}) == one); // :443 as well
    CHECK(place_of({}) == one);
    CHECK(place_of({.flags = {{"listen", ":8443"}}}) != one);
    CHECK(admin_address(loaded({.text = file_with("")}))->text() == one);
}

TEST_CASE("A name that follows from listeners of a text may be outdated, and is told by its form", "[config][admin]")
{
    const auto [given, may_be] = GENERATE(table<Input, bool>({
        {Input{.text = file_with("")}, true},
        {Input{.text = file_with(""), .flags = {{"listen", ":8443"}}}, false},
        {Input{.text = file_with(""), .variables = {{"SALLYPORT_LISTEN", ":8443"}}}, false},
        {Input{.text = file_with(""), .flags = {{"admin", "auto"}}}, false},
        {Input{.text = file_with("admin: {bind: 'unix:@a'}")}, false},
        {Input{.flags = {{"to", "1"}, {"self-signed", "true"}}}, false},
        {Input{}, false},
    }));
    const auto place = find_admin(given.sources()).value();
    CHECK(place.may_be_outdated == may_be);
    const std::string name = place.address->text();
    CHECK(is_automatic(*place.address) == (name != "unix:@a"));
    if (name != "unix:@a") CHECK_FALSE(is_automatic(SocketAddress::parse(name + "0").value()));
    CHECK_FALSE(is_automatic(SocketAddress::parse("unix:@sallyport-0123456789abcdeg").value()));
}

TEST_CASE("Who only asks is not stopped by mistakes", "[config][admin]")
{
    const std::string one = place_of({.text = file_with("")});
    CHECK(place_of({.text = file_with("lisen: 1\nlog: {level: '${NOWHERE}'}\n")}) == one);
    CHECK(place_of({.text = "listeners: [{bind: ':443'}]"}) == one);
    CHECK(place_of({.text = "["}) != one);
    CHECK(place_of({.text = "[", .flags = {{"admin", "unix:@b"}}}) == "unix:@b");
    CHECK(place_of({.text = "[", .variables = {{"SALLYPORT_ADMIN", "unix:@b"}}}) == "unix:@b");
}

TEST_CASE("Clients wait for the apps for so long, or not at all", "[config]")
{
    CHECK(loaded({.text = file_with("")}).startup.wait_for_upstream == 0ms);
    CHECK(loaded({.text = file_with("startup: {wait_for_upstream: 60s}")}).startup.wait_for_upstream == 60s);
    CHECK(loaded({.text = file_with("startup: {wait_for_upstream: none}")}).startup.wait_for_upstream == 0ms);
    CHECK(mistakes_of({.text = file_with("startup: {wait_for_upstream: 0s}")}) != "OK");
    CHECK(mistakes_of({.text = file_with("startup: {wait_for_upstream: 2h}")}) ==
          "3:30: wait_for_upstream '2h' is not between 1ms and 1h");
}
