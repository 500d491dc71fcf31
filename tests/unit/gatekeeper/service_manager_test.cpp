#include "gatekeeper/service_manager.hpp"

#include <array>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;
using gatekeeper::ServiceManager;

namespace {

/// systemd's end: a datagram socket at this address, in the form of NOTIFY_SOCKET.
class Systemd {
public:
    explicit Systemd(const std::string& address)
    {
        sockaddr_un place{.sun_family = AF_UNIX, .sun_path = {}};
        address.copy(place.sun_path, sizeof place.sun_path);
        if (address.front() == '@') place.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&place), size) == 0);
    }

    /// The next word that has come, or nothing.
    std::string heard()
    {
        std::array<char, 64> text{};
        const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), 0);
        return size < 0 ? "" : std::string{text.data(), static_cast<std::size_t>(size)};
    }

private:
    UniqueFd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
};

} // namespace

TEST_CASE("systemd is told once that we serve, and that we stop", "[gatekeeper][systemd]")
{
    const test::TemporaryDirectory directory;
    const std::string address = GENERATE_REF(directory.file("notify"), "@sallyport-" + std::to_string(::getpid()));
    Systemd systemd{address};
    ServiceManager manager{address};
    manager.serving();
    manager.serving();
    CHECK(systemd.heard() == "READY=1");
    CHECK(systemd.heard().empty());
    manager.stopping();
    CHECK(systemd.heard() == "STOPPING=1");
}
