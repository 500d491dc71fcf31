#include "sallyport/admin/server.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sallyport/base/socket_address.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::admin;

namespace {

class ShardsView final : public View {
public:
    std::vector<std::size_t> silent;
    int asked{0};

    std::vector<std::string> unready() override { return {}; }
    Status status() override { return {.generation = 1, .unready = {}, .listeners = {}, .picture = {}}; }
    void ask_shards() override { ++asked; }
    std::vector<std::size_t> silent_shards() override { return silent; }
};

/// A server on an abstract socket, and its time.
struct Endpoint {
    explicit Endpoint(Settings settings = {})
    {
        UniqueFd listening{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        constexpr sa_family_t kUnix = AF_UNIX;
        const auto* any = reinterpret_cast<const sockaddr*>(&kUnix); // autobind: unix(7)
        REQUIRE(::bind(listening.get(), any, sizeof kUnix) == 0);
        REQUIRE(::listen(listening.get(), 256) == 0);
        size = sizeof address;
        REQUIRE(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        server.emplace(std::move(listening), settings, view);
    }

    [[nodiscard]] UniqueFd client(std::string_view sends = {})
    {
        UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
        send(fd, sends);
        return fd;
    }
    static void send(const UniqueFd& fd, std::string_view text)
    {
        REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
    }
    static std::string received(const UniqueFd& fd)
    {
        std::string text;
        std::array<char, 4096> part{};
        for (ssize_t got = 0; (got = ::recv(fd.get(), part.data(), part.size(), 0)) > 0;)
            text.append(part.data(), static_cast<std::size_t>(got));
        return text;
    }
    static bool is_closed(const UniqueFd& fd)
    {
        char one{};
        return ::recv(fd.get(), &one, 1, 0) == 0;
    }

    sockaddr_un address{};
    socklen_t size{};
    ShardsView view;
    std::optional<Server> server;
    TimePoint now{Clock::now()};
};

constexpr std::string_view kReady = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

} // namespace

TEST_CASE("A request is answered, however it comes, and the connection ends", "[admin]")
{
    Endpoint here;
    const UniqueFd client = here.client(kReady.substr(0, 10));
    here.server->serve(here.now);
    CHECK(Endpoint::received(client).empty());
    Endpoint::send(client, kReady.substr(10));
    here.server->serve(here.now);
    CHECK(Endpoint::received(client).starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(Endpoint::is_closed(client));
    CHECK_FALSE(here.server->due().has_value());
}

TEST_CASE("Who sends more than is read has the answer all the same", "[admin]")
{
    Endpoint here;
    const UniqueFd client = here.client("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n");
    for (int turn = 0; turn < 3; ++turn) // each reads 4 KiB; a head has 8
        here.server->serve(here.now);
    CHECK(Endpoint::received(client).starts_with("HTTP/1.1 400 "));
}

TEST_CASE("Health waits for the shards, and for no longer than they have", "[admin]")
{
    Endpoint here;
    here.view.silent = {0, 1};
    const UniqueFd client = here.client(kHealth);
    here.server->serve(here.now);
    CHECK(here.view.asked == 1);
    CHECK(Endpoint::received(client).empty());
    CHECK(here.server->due() <= here.now + Millis{50});

    SECTION("they answer")
    {
        here.view.silent = {};
        here.server->serve(here.now + Millis{50});
        CHECK(Endpoint::received(client).starts_with("HTTP/1.1 200 "));
    }
    SECTION("one does not")
    {
        here.view.silent = {1};
        here.server->serve(here.now + Millis{900});
        CHECK(Endpoint::received(client).empty());
        here.server->serve(here.now + Millis{1'000});
        CHECK(Endpoint::received(client).ends_with("unhealthy: no answer from shard 1\n"));
    }
}

TEST_CASE("Who is slow is closed at the deadline, and before that if others come", "[admin]")
{
    Endpoint here{{.connections_max = 2}};
    const UniqueFd first = here.client("GET ");
    const UniqueFd second = here.client();
    here.server->serve(here.now);
    const UniqueFd third = here.client(kReady);
    here.server->serve(here.now);
    CHECK(Endpoint::is_closed(first));
    CHECK(Endpoint::received(third).starts_with("HTTP/1.1 200 "));
    CHECK(here.server->due() == here.now + Millis{5'000});
    here.server->serve(here.now + Millis{5'000});
    CHECK(Endpoint::is_closed(second));
}

TEST_CASE("Whoever comes in a crowd is accepted over several turns, so that others are heard between", "[admin]")
{
    Endpoint here{{.connections_max = 1}};
    std::vector<UniqueFd> crowd;
    for (int i = 0; i < 150; ++i)
        crowd.push_back(here.client());
    const auto closed = [&crowd] { return std::ranges::count_if(crowd, Endpoint::is_closed); };
    here.server->serve(here.now);
    CHECK(closed() == 64 - 1);
    std::vector<pollfd> waits;
    here.server->add_waits(waits);
    REQUIRE(waits.front().events == POLLIN);
    CHECK(::poll(waits.data(), 1, 0) == 1);
    here.server->serve(here.now);
    here.server->serve(here.now);
    CHECK(closed() == 150 - 1);
}

TEST_CASE("A user who is neither root nor ours is not answered", "[admin]")
{
    Endpoint here{{.checks_peer = true, .uid = 4'000'000}};
    const UniqueFd client = here.client(kReady);
    here.server->serve(here.now);
    CHECK(Endpoint::received(client).starts_with("HTTP/1.1 200 ") == (::geteuid() == 0));
}

TEST_CASE("Who has stopped accepting answers whom it has accepted, and nobody else", "[admin]")
{
    Endpoint here;
    const UniqueFd early = here.client();
    here.server->serve(here.now);
    here.server->stop_accepting();
    Endpoint::send(early, kReady);
    here.server->serve(here.now);
    CHECK(Endpoint::received(early).starts_with("HTTP/1.1 200 "));
    std::vector<pollfd> waits;
    here.server->add_waits(waits);
    CHECK(waits.empty());
    CHECK_FALSE(here.server->due());
}
