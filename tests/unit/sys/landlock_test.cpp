#include "sallyport/sys/landlock.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"
#include "sallyport/sys/process.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

bool can_read(const std::string& path)
{
    return static_cast<bool>(UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)});
}

/// A listening socket of IPv4 loopback and its port.
struct Listening {
    Listening()
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(fd.get(), 4) == 0);
        REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port = ntohs(address.sin_port);
    }
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port{};
};

int error_of_connecting(std::uint16_t port)
{
    const UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

Guards enter_or_die(const Domain& domain)
{
    MUST(set_no_new_privs());
    const auto entered = enter(domain);
    MUST(entered.has_value());
    MUST(holds(*entered));
    return *entered;
}

} // namespace

TEST_CASE("What a Landlock has follows from its ABI", "[sys][landlock]")
{
    const auto [abi, files, network, scopes] = GENERATE(table<int, bool, bool, bool>({
        {0, false, false, false},
        {1, true, false, false},
        {3, true, false, false},
        {4, true, true, false},
        {5, true, true, false},
        {6, true, true, true},
        {7, true, true, true},
        {12, true, true, true},
    }));
    CHECK(guards_of(abi) == Guards{.abi = abi, .files = files, .network = network, .scopes = scopes});
}

TEST_CASE("In a domain only what is granted can be read, and nothing written or run", "[sys][landlock]")
{
    if (!available_guards().files) return;
    const test::TemporaryDirectory granted, other;
    for (const auto* directory : {&granted, &other})
        std::ofstream{directory->file("file")} << "text";
    CHECK(test::in_child([&] {
              enter_or_die({.readable = {granted.path(), "/no/such/place"}});
              MUST(can_read(granted.file("file")));
              MUST(can_read(other.file("file")) == kReadsAllFiles);
              MUST(::open((granted.file("file")).c_str(), O_WRONLY) < 0 && errno == EACCES);
              MUST(::open((granted.file("new")).c_str(), O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
              MUST(::unlink((granted.file("file")).c_str()) != 0 && errno == EACCES);
              MUST(::execl("/bin/true", "true", nullptr) != 0 && errno == EACCES);
          }) == 0);
}

TEST_CASE("In a domain only granted ports are connected to, and none is bound", "[sys][landlock]")
{
    if (!available_guards().network) return;
    const Listening granted, other;
    CHECK(test::in_child([&] {
              enter_or_die({.readable = {}, .connect_ports = {granted.port}});
              MUST(error_of_connecting(granted.port) == 0);
              MUST(error_of_connecting(other.port) == EACCES);
          }) == 0);
}

TEST_CASE("A domain ends at strangers: no signal and no abstract socket reaches out", "[sys][landlock]")
{
    if (!available_guards().scopes) return;
    const UniqueFd listening{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "sallyport-test-" + std::to_string(::getpid());
    name.copy(address.sun_path + 1, name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::bind(listening.get(), raw, size) == 0);
    REQUIRE(::listen(listening.get(), 4) == 0);
    const bool reaches = GENERATE(false, true);
    CHECK(test::in_child([&] {
              enter_or_die({.readable = {}, .connect_ports = {}, .reaches_abstract_sockets = reaches});
              const UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
              MUST((::connect(fd.get(), raw, size) == 0) == reaches);
              MUST(::kill(::getppid(), 0) != 0 && errno == EPERM);
              MUST(::kill(::getpid(), 0) == 0);
          }) == 0);
}
