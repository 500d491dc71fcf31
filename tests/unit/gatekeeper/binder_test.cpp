#include "gatekeeper/binder.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

SocketAddress loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address).value();
}

/// Taken from the kernel and given back: free at this moment.
std::uint16_t free_port()
{
    const UniqueFd socket = std::move(sys::listen_tcp(loopback(0), false).value());
    return sys::local_address(socket.get()).value().port();
}

PlannedListener planned(const SocketAddress& address, Path path, unsigned count)
{
    return {
        .bind = {.text = address.text(), .where = address}, .path = path, .shared = address.is_unix(), .count = count};
}

bool accepts(const SocketAddress& address)
{
    const UniqueFd client{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return ::connect(client.get(), address.data(), address.size()) == 0;
}

/// The exit code of a child process that runs this, and 0 if it returns. A StartError's text goes to `text`.
int in_another_process(const std::function<void()>& act, std::string& text)
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        int code = 0;
        try {
            act();
        } catch (const StartError& error) {
            code = static_cast<int>(error.code());
            static_cast<void>(!::write(ends[1], error.what(), std::strlen(error.what())));
        }
        ::_exit(code);
    }
    ::close(ends[1]);
    const UniqueFd said{ends[0]};
    std::array<char, 4096> buffer;
    for (ssize_t size{}; (size = ::read(said.get(), buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(size));
    int status{};
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct TemporaryDirectory {
    TemporaryDirectory()
    {
        std::string pattern = (fs::temp_directory_path() / "sallyport-test-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~TemporaryDirectory() { fs::remove_all(path); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string path;
};

} // namespace

TEST_CASE("A TCP address gets its sockets, one per shard, all of them listening", "[gatekeeper][binder]")
{
    const unsigned shards = GENERATE(1U, 3U);
    const SocketAddress address = loopback(free_port());
    const Bound bound = bind_all({planned(address, Path::plain, shards)}, {});
    REQUIRE(bound.listeners.size() == 1);
    CHECK_FALSE(bound.listeners[0].shared);
    CHECK(bound.listeners[0].sockets.size() == shards);
    for (const UniqueFd& socket : bound.listeners[0].sockets)
        CHECK(sys::local_address(socket.get()).value() == address);
    CHECK(accepts(address));
}

TEST_CASE("A privileged port is bound with the capability, which is not effective afterwards", "[gatekeeper][binder]")
{
    std::string text;
    const int code = in_another_process(
        [] {
            // Root for the bind alone: permitted, not effective, as after the change of user.
            if (!sys::keep_only_net_bind_service()) throw StartError{ExitCode::software, "cannot lower capabilities"};
            const Bound bound = bind_all({planned(loopback(987), Path::capability, 2)}, {});
            const auto sets = sys::capability_sets().value();
            if (bound.listeners.at(0).sockets.size() != 2) throw StartError{ExitCode::software, "not two sockets"};
            if (sets.effective != 0) throw StartError{ExitCode::software, "still effective"};
            if (sets.permitted != sys::kNetBindService) throw StartError{ExitCode::software, "not permitted"};
        },
        text);
    CAPTURE(text);
    CHECK(code == 0);
}

TEST_CASE("Without the capability a privileged port ends with exit code 77 and a diagnosis", "[gatekeeper][binder]")
{
    std::string text;
    const int code = in_another_process(
        [] {
            if (!sys::drop_all_capabilities()) throw StartError{ExitCode::software, "cannot drop capabilities"};
            static_cast<void>(
                bind_all({planned(loopback(8443), Path::plain, 1), planned(loopback(987), Path::plain, 1)}, {}));
        },
        text);
    CHECK(code == 77);
    CHECK_THAT(text, Contains("cannot bind 127.0.0.1:987: permission denied") && Contains("CapBnd") &&
                         Contains("unit_gatekeeper") && Contains("ip_unprivileged_port_start=987"));
}

TEST_CASE("A taken port ends with exit code 69 and names its holder, also for sockets with SO_REUSEPORT",
          "[gatekeeper][binder]")
{
    const bool holder_shares = GENERATE(false, true);
    const unsigned shards = GENERATE(1U, 2U);
    CAPTURE(holder_shares, shards);
    const SocketAddress address = loopback(free_port());
    const UniqueFd holder = std::move(sys::listen_tcp(address, holder_shares).value());
    try {
        static_cast<void>(bind_all({planned(address, Path::plain, shards)}, {}));
        FAIL("bound a port twice");
    } catch (const StartError& error) {
        CHECK(error.code() == ExitCode::unavailable);
        CHECK_THAT(error.what(), Contains("already taken by unit_gatekeeper (pid " + std::to_string(::getpid()) + ")"));
    }
}

TEST_CASE("An address that no interface has is refused with a reason", "[gatekeeper][binder]")
{
    const auto address = SocketAddress::parse("192.0.2.1:8443").value();
    CHECK_THROWS_WITH(bind_all({planned(address, Path::plain, 1)}, {}), Contains("no interface"));
}

TEST_CASE("A Unix socket's file has its permissions and is removed at the end, unless another took its place",
          "[gatekeeper][binder]")
{
    const TemporaryDirectory directory;
    const std::string path = directory.path + "/x.sock";
    const auto address = SocketAddress::parse("unix:" + path).value();
    PlannedListener plan = planned(address, Path::plain, 1);
    plan.bind.socket_mode = 0600;
    {
        const Bound bound = bind_all({plan}, {});
        CHECK(bound.listeners.at(0).shared);
        CHECK(accepts(address));
        struct stat file{};
        REQUIRE(::stat(path.c_str(), &file) == 0);
        CHECK((file.st_mode & 0777) == 0600);
        bound.files.at(0).give_to(65532, 65532);
        REQUIRE(::stat(path.c_str(), &file) == 0);
        CHECK(file.st_uid == 65532);
    }
    CHECK_FALSE(fs::exists(path));

    UniqueFd successor;
    {
        const Bound bound = bind_all({plan}, {});
        fs::rename(path, path + ".old"); // keeps the old inode from being used again
        successor = std::move(sys::listen_unix(address, 0600).value());
    }
    CHECK(fs::exists(path));
}

TEST_CASE("A Unix socket that another process listens on, or a directory that is not ours, is refused",
          "[gatekeeper][binder]")
{
    const TemporaryDirectory directory;
    const auto address = SocketAddress::parse("unix:" + directory.path + "/x.sock").value();
    const UniqueFd holder = std::move(sys::listen_unix(address, 0600).value());
    CHECK_THROWS_WITH(bind_all({planned(address, Path::plain, 1)}, {}), Contains("another process listens there"));

    std::string text;
    const int code = in_another_process(
        [&] {
            if (::setresuid(65532, 65532, 65532) != 0) throw StartError{ExitCode::software, "cannot become a user"};
            const auto denied = SocketAddress::parse("unix:" + directory.path + "/y.sock").value();
            static_cast<void>(bind_all({planned(denied, Path::plain, 1)}, {}));
        },
        text);
    CHECK(code == 77);
    CHECK_THAT(text, Contains("user 65532 must be able to write to its directory"));
}

TEST_CASE("Inherited sockets are adopted by number and by systemd's name, each once", "[gatekeeper][binder]")
{
    const auto inherit = [] {
        UniqueFd socket = sys::listen_tcp(loopback(0), false).value();
        REQUIRE(::fcntl(socket.get(), F_SETFD, 0) == 0);
        return socket;
    };
    const UniqueFd first = inherit();
    const UniqueFd second = inherit();
    const UniqueFd third = inherit();
    const auto [a, b, c] = std::array{first.get(), second.get(), third.get()};
    const std::vector<PassedSocket> passed{{"https", b}, {"https", c}};
    const PlannedListener by_number{.bind = {.text = "fd:" + std::to_string(a), .where = config::InheritedFd{a}},
                                    .path = Path::inherited,
                                    .shared = true};
    const PlannedListener by_name{.bind = {.text = "systemd:https", .where = config::SystemdName{"https"}},
                                  .path = Path::inherited,
                                  .shared = true};
    {
        const Bound bound = bind_all({by_number, by_name}, passed);
        REQUIRE(bound.listeners.size() == 3);
        CHECK(sys::local_address(bound.listeners[0].sockets.at(0).get()).value() == sys::local_address(a).value());
        CHECK(bound.listeners[1].listener == 1);
        CHECK(bound.listeners[2].listener == 1);
        CHECK(sys::local_address(bound.listeners[2].sockets.at(0).get()).value() == sys::local_address(c).value());
        CHECK(bound.listeners[2].is_inherited);
    }
    CHECK(bind_all({by_number}, {}).listeners.size() == 1); // what failed, or was left out, can be asked for again
    REQUIRE(::fcntl(a, F_SETFD, FD_CLOEXEC) == 0);          // as our own sockets are
    CHECK_THROWS_WITH(bind_all({by_number}, {}), Contains("is not a listening stream socket"));
    CHECK_THROWS_WITH(bind_all({by_name}, {{"http", 9}}),
                      Contains("it passed: http") && Contains("FileDescriptorName"));

    const UniqueFd fourth = inherit();
    const int d = fourth.get();
    const PlannedListener again{
        .bind = {.text = "systemd:one", .where = config::SystemdName{"one"}}, .path = Path::inherited, .shared = true};
    const PlannedListener twice{
        .bind = {.text = "systemd:two", .where = config::SystemdName{"two"}}, .path = Path::inherited, .shared = true};
    CHECK_THROWS_WITH(bind_all({again, twice}, {{"one", d}, {"two", d}}), Contains("another listener's already"));
}
