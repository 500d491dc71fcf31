#include "gatekeeper/app.hpp"

#include <csignal>

#include <sys/wait.h>

#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;

namespace {

SocketAddress address(const std::string& text)
{
    return SocketAddress::parse(text).value();
}

} // namespace

TEST_CASE("An app listens if a socket takes connections to its address", "[gatekeeper][app]")
{
    const auto [app, socket, listens] = GENERATE(table<std::string, std::string, bool>({
        {"127.0.0.1:7766", "127.0.0.1:7766", true},
        {"127.0.0.1:7766", "0.0.0.0:7766", true},
        {"127.0.0.1:7766", "[::]:7766", true},
        {"[::1]:7766", "[::]:7766", true},
        {"[::1]:7766", "0.0.0.0:7766", false},
        {"[::1]:7766", "127.0.0.1:7766", false},
        {"127.0.0.1:7766", "127.0.0.2:7766", false},
        {"127.0.0.1:7766", "[::1]:7766", false},
        {"127.0.0.1:7766", "127.0.0.1:7767", false},
        {"127.0.0.1:7766", "0.0.0.0:443", false},
    }));
    CAPTURE(app, socket);
    CHECK(takes_connections(address(app), {{.address = address(socket)}}) == listens);
}

TEST_CASE("A row of the table of Unix sockets gives the address of one that listens", "[gatekeeper][app]")
{
    const auto [row, listening] = GENERATE(table<std::string, std::optional<std::string>>({
        {"0000000000000000: 00000002 00000000 00010000 0001 01 20215 /run/app.sock", "unix:/run/app.sock"},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 20215 /run/my app", "unix:/run/my app"},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 20215 @app", "unix:@app"},
        {"0000000000000000: 00000003 00000000 00000000 0001 03 20216 /run/app.sock", std::nullopt},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 20215", std::nullopt},
        {"Num       RefCount Protocol Flags    Type St Inode Path", std::nullopt},
        {"", std::nullopt},
    }));
    CAPTURE(row);
    CHECK(parse_listening_unix(row) == listening);
}

TEST_CASE("The app's exit code is ours, and 128 more than the signal that killed it", "[gatekeeper][app]")
{
    CHECK(exit_code_of_status(W_EXITCODE(0, 0)) == ExitCode::ok);
    CHECK(static_cast<int>(exit_code_of_status(W_EXITCODE(3, 0))) == 3);
    CHECK(static_cast<int>(exit_code_of_status(W_EXITCODE(255, 0))) == 255);
    CHECK(static_cast<int>(exit_code_of_status(W_EXITCODE(0, SIGKILL))) == 137);
}

TEST_CASE("The app has every variable but ours and those of sockets that it does not get", "[gatekeeper][app]")
{
    CHECK(is_for_app("PATH"));
    CHECK(is_for_app("DATABASE_PASSWORD"));
    CHECK(is_for_app("MY_SALLYPORT_KEY"));
    CHECK(is_for_app("LISTEN_FDSX"));
    for (const char* name :
         {"SALLYPORT_KEY", "SALLYPORT_CONFIG", "SALLYPORT_", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET"})
        CHECK_FALSE(is_for_app(name));
}

TEST_CASE("Without a command there is no app; with one it serves the only upstream, or the named one",
          "[gatekeeper][app]")
{
    config::Config config;
    config.upstreams["web"].address.list = {{.address = address("127.0.0.1:7766")}};
    CHECK_FALSE(app_settings_of(config, {}));
    CHECK(app_settings_of(config, {"serve"})->upstream.name == "web");
    config.upstreams["api"].address.list = {{.address = address("127.0.0.1:7767")}};
    CHECK_THROWS_WITH(app_settings_of(config, {"serve"}), "the configuration has 2 upstreams: name the one of the "
                                                          "command after -- by app.upstream");
    config.app.upstream = "web";
    CHECK(app_settings_of(config, {"serve"})->upstream.address == address("127.0.0.1:7766"));
    config.upstreams["web"].address.list.insert(config.upstreams["web"].address.list.begin(), {"web.internal", 80, {}});
    CHECK(app_settings_of(config, {"serve"})->upstream.address == address("127.0.0.1:7766"));
    config.upstreams["web"].address.list.pop_back();
    CHECK_THROWS_WITH(app_settings_of(config, {"serve"}),
                      Catch::Contains("upstream 'web' of the command after -- has only names: give the address"));
}

TEST_CASE("Where /proc does not tell when the app listens, clients are served at once", "[gatekeeper][app]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              AppSettings settings{.order = {.command = {"sleep", "1000"},
                                             .uid = 65533,
                                             .gid = 65533,
                                             .stop_signal = SIGTERM,
                                             .stop_timeout = Millis{5'000}},
                                   .upstream = {.name = "app", .address = address("127.0.0.1:7766")},
                                   .start_timeout = Millis{20'000}};
              Starter starter{settings.order};
              App app{std::move(starter), std::move(settings),
                      [](const SocketAddress&) { return std::optional<bool>{}; }};
              while (!app.has_listened()) { // at most start_timeout: then it throws
                  app.tend(Clock::now());
                  app.listen(Clock::now());
              }
          }) == 0);
}
