#include "gatekeeper/systemd_sockets.hpp"

#include <map>

#include "support/catch.hpp"

using namespace sallyport::gatekeeper;

namespace {

constexpr pid_t kSelf = 42;

std::vector<PassedSocket> passed(const std::map<std::string, std::string>& environment)
{
    return passed_sockets(kSelf, [&](std::string_view name) -> std::optional<std::string> {
        const auto found = environment.find(std::string{name});
        if (found == environment.end()) return std::nullopt;
        return found->second;
    });
}

} // namespace

TEST_CASE("Sockets passed by systemd are numbered from 3 and carry their names", "[gatekeeper][systemd]")
{
    const auto sockets = passed({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "3"}, {"LISTEN_FDNAMES", "https:http:https"}});
    CHECK(sockets == std::vector<PassedSocket>{{"https", 3}, {"http", 4}, {"https", 5}});
    CHECK(numbers_named(sockets, "https") == std::vector<int>{3, 5});
    CHECK(numbers_named(sockets, "admin").empty());
}

TEST_CASE("Sockets without a name are called unknown", "[gatekeeper][systemd]")
{
    CHECK(passed({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}}) ==
          std::vector<PassedSocket>{{"unknown", 3}, {"unknown", 4}});
    CHECK(passed({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "a"}}) ==
          std::vector<PassedSocket>{{"a", 3}, {"unknown", 4}});
}

TEST_CASE("Variables that are missing, wrong or meant for another process pass no socket", "[gatekeeper][systemd]")
{
    const auto environment = GENERATE(values<std::map<std::string, std::string>>({
        {},
        {{"LISTEN_FDS", "1"}},
        {{"LISTEN_PID", "42"}},
        {{"LISTEN_PID", "41"}, {"LISTEN_FDS", "1"}},
        {{"LISTEN_PID", "42x"}, {"LISTEN_FDS", "1"}},
        {{"LISTEN_PID", "42"}, {"LISTEN_FDS", "-1"}},
        {{"LISTEN_PID", "42"}, {"LISTEN_FDS", "one"}},
        {{"LISTEN_PID", "42"}, {"LISTEN_FDS", "99999999"}},
    }));
    CHECK(passed(environment).empty());
}
