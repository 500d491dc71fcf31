#include "gatekeeper/supervisor.hpp"

#include <csignal>

#include <netinet/in.h>
#include <sys/socket.h>

#include "household.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace sallyport::gatekeeper::test;
using Catch::Contains;

namespace {

pid_t pid_of(const std::string& text)
{
    return static_cast<pid_t>(std::stoi(text));
}

/// Its pid is gone: dead and reaped.
bool is_reaped(pid_t pid)
{
    return ::kill(pid, 0) != 0 && errno == ESRCH;
}

UniqueFd loopback_listener()
{
    // Port 0 is no address that a configuration can name, so it is made from bytes.
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&any), sizeof any).value();
    return std::move(sys::listen_tcp(address, false).value());
}

UniqueFd connected_to(const SocketAddress& address)
{
    UniqueFd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::connect(client.get(), address.data(), address.size()) != 0) return {};
    return client;
}

BoundListener first_listener(UniqueFd socket)
{
    BoundListener bound;
    bound.sockets.push_back(std::move(socket));
    return bound;
}

} // namespace

TEST_CASE("The keyholder has loaded before the worker is born, and each hears all that it needs, in order",
          "[gatekeeper][supervisor]")
{
    Household house;
    house.listeners.push_back(first_listener(loopback_listener()));
    house.start();
    house.wait_for("keyholder born ");
    CHECK(house.wait_for("keyholder ") == "hello build-1 2");
    CHECK(house.wait_for("keyholder ") == "source tls.crt 0");
    CHECK(house.wait_for("keyholder ") == "secret new");
    CHECK(house.wait_for("keyholder ") == "load");
    house.wait_for("worker born ");
    CHECK(house.wait_for("worker ") == "hello build-1 2");
    CHECK(house.wait_for("worker ") == "upstream app");
    CHECK(house.wait_for("worker ") == "listener :443 1");
    CHECK(house.wait_for("worker ") == "met 3");
    CHECK(house.wait_for("worker ") == "serve");
    CHECK_THAT(house.heard(), !Contains("met nobody"));
}

TEST_CASE("What a child finds wrong at the first start ends the gatekeeper with its text and exit code",
          "[gatekeeper][supervisor]")
{
    const auto [role, line, code, text] = GENERATE(table<std::string, std::string, int, std::string>({
        {"keyholder", "fail", 78, "tls.key does not belong to tls.crt"},
        {"keyholder", "die", 70, "the keyholder died while starting: exit code 3"},
        {"keyholder", "mute", 70, "the keyholder did not answer within "},
        {"worker", "fail", 71, "no memory for a shard"},
        {"worker", "die", 70, "the worker died while starting: exit code 3"},
        {"worker", "mute", 70, "the worker did not answer within "},
    }));
    CAPTURE(role, line);
    Household house;
    house.script(role, line + "\n");
    if (line == "mute") house.patience.start = kShortPatience;
    house.start();
    const pid_t child = pid_of(house.wait_for(role + " born "));
    CHECK(house.exit_code() == code);
    CHECK_THAT(house.heard(), Contains(text));
    CHECK(is_reaped(child));
}

TEST_CASE("A missing executable is named when the gatekeeper cannot start", "[gatekeeper][supervisor]")
{
    Household house;
    fs::remove(house.path("sallyport-worker"));
    house.start();
    CHECK(house.exit_code() == 71);
    CHECK_THAT(house.heard(), Contains("cannot start " + house.path("sallyport-worker") + ": No such file"));
}

TEST_CASE("A killed worker is followed by another on the same sockets, with its own ways to the living keyholder",
          "[gatekeeper][supervisor]")
{
    Household house;
    UniqueFd socket = loopback_listener();
    const SocketAddress address = sys::local_address(socket.get()).value();
    house.listeners.push_back(first_listener(std::move(socket)));
    house.script("worker", "\naccept\n");
    house.start();
    const pid_t first = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");

    // In the queue before the death, served after it.
    const UniqueFd client = connected_to(address);
    REQUIRE(client);
    ::kill(first, SIGKILL);
    house.wait_for("keyholder channels 0"); // nobody else has an end of the dead worker's channels
    CHECK(pid_of(house.wait_for("worker born ")) != first);
    house.wait_for("worker accepted");
    char answer{};
    CHECK(::read(client.get(), &answer, 1) == 1);
    CHECK(answer == 'x');
    const std::string all = house.heard();
    CHECK_THAT(all, !Contains("met nobody") && Contains("signal 9 (KILL)"));
    CHECK(all.find("keyholder born") == all.rfind("keyholder born"));
}

TEST_CASE("A worker that stops a listener is killed at once, and the next one listens again",
          "[gatekeeper][supervisor]")
{
    Household house;
    // A port that was asked for by its number: the kernel takes one of its own choice back.
    const SocketAddress address = sys::local_address(loopback_listener().get()).value();
    UniqueFd socket = std::move(sys::listen_tcp(address, false).value());
    const UniqueFd captured{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)};
    house.listeners.push_back(first_listener(std::move(socket)));
    house.start();
    const pid_t first = pid_of(house.wait_for("worker born "));
    house.wait_for("worker serve");
    house.wait_for_log("serving");
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    REQUIRE(::connect(captured.get(), &nowhere, sizeof nowhere) == 0);
    house.wait_for("worker serve");
    CHECK(is_reaped(first));
    CHECK(connected_to(address));
    CHECK_THAT(house.heard(), Contains("listening again") && Contains("it has stopped a listening socket"));
}

TEST_CASE("A killed keyholder is followed by another with the same ticket secret, and the worker lives on",
          "[gatekeeper][supervisor]")
{
    Household house;
    house.start();
    const std::string first = house.wait_for("keyholder born ");
    house.wait_for_log("serving");
    ::kill(pid_of(first), SIGKILL);
    house.wait_for("worker channels 0");
    house.wait_for("keyholder born ");
    CHECK(house.wait_for("keyholder secret of ") == first);
    CHECK(house.wait_for("worker ") == "met 3");
    const std::string all = house.heard();
    CHECK_THAT(all, !Contains("met nobody"));
    CHECK(all.find("worker born") == all.rfind("worker born"));
}

TEST_CASE("Children that fail after the first start are tried again until they serve", "[gatekeeper][supervisor]")
{
    const auto [role, lines, failures] = GENERATE(table<std::string, std::string, int>({
        {"worker", "\ndie\nfail\nbabble\n", 3},
        {"keyholder", "\ndie\nfail\n", 2},
    }));
    CAPTURE(role);
    Household house;
    house.script(role, lines);
    house.start();
    const pid_t first = pid_of(house.wait_for(role + " born "));
    house.wait_for_log("serving");
    ::kill(first, SIGKILL);
    for (int i = 0; i < failures; ++i)
        house.wait_for(role + " born ");
    house.wait_for(role + " born ");
    house.wait_for("worker met 3");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
}

TEST_CASE("A child that does not answer in time or leaves its channel is killed and followed by another",
          "[gatekeeper][supervisor]")
{
    Household house;
    house.script("worker", "desert\nmute\n");
    house.patience = {.start = kShortPatience, .grace = 300ms};
    house.start();
    house.wait_for("worker born ");
    const pid_t mute = pid_of(house.wait_for("worker born "));
    house.wait_for("worker born ");
    CHECK(is_reaped(mute));
    house.wait_for("worker serve");
    CHECK_THAT(house.heard(), Contains("it did not answer in time") && Contains("it did not end in time"));
}

TEST_CASE("A worker whose key channels the living keyholder has ended is followed by another",
          "[gatekeeper][supervisor]")
{
    Household house;
    house.script("worker", "keyless\n");
    house.patience.keyless = 100ms;
    house.start();
    const std::string keyholder = house.wait_for("keyholder born ");
    const pid_t keyless = pid_of(house.wait_for("worker born "));
    house.wait_for("worker born ");
    CHECK(is_reaped(keyless));
    house.wait_for("worker serve");
    CHECK_THAT(house.heard(), Contains("the keyholder wants no more of it"));
    CHECK(house.heard().find("keyholder born") == house.heard().rfind("keyholder born"));
}

TEST_CASE("A worker that says what is not lawful is killed, and the audit log says so", "[gatekeeper][supervisor]")
{
    const std::string crime = GENERATE("ready-twice", "keyless-twice", "keyless-early", "large", "gift");
    CAPTURE(crime);
    Household house;
    house.script("worker", crime + "\n");
    house.patience.keyless = kPatience;
    house.start();
    const pid_t captured = pid_of(house.wait_for("worker born "));
    house.wait_for("worker serve");
    house.wait_for("worker serve");
    CHECK(is_reaped(captured));
    CHECK_THAT(house.heard(), Contains("it said what no child says"));
}

TEST_CASE("Only the first last word counts: a child cannot fill the audit log with them", "[gatekeeper][supervisor]")
{
    Household house;
    house.script("worker", "last-words\n");
    house.patience.grace = 300ms;
    house.start();
    house.wait_for("worker serve");
    house.wait_for("worker serve");
    const std::string all = house.heard();
    CHECK(all.find("system call refused") != std::string::npos);
    CHECK(all.find("system call refused") == all.rfind("system call refused"));
}

TEST_CASE("A worker that loses its keys while the keyholder reads is introduced again when that has ended",
          "[gatekeeper][supervisor]")
{
    const auto [script, outcome] = GENERATE(table<std::string, std::string>({
        {"hold-again", "certificate loaded"},
        {"hold-and-fail-again", "certificates not reloaded"},
    }));
    CAPTURE(script);
    Household house;
    house.script("keyholder", script + "\n");
    house.script("worker", "keyless-later\n");
    house.patience.keyless = 1ms; // it would be killed at once
    house.start();
    const pid_t keyholder = pid_of(house.wait_for("keyholder born "));
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for("worker met 3");
    house.wait_for_log("serving");
    house.signal(SIGHUP);
    house.wait_for_log("reading the certificates again");
    ::kill(worker, SIGUSR1);
    house.wait_for("worker lost its keys");
    // The gatekeeper has heard that when it has answered two more signals.
    for (int i = 0; i < 2; ++i) {
        house.signal(SIGHUP);
        house.wait_for_log("reading the certificates again");
    }
    ::kill(keyholder, SIGUSR1);
    house.wait_for("worker met 3");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
    const std::string all = house.heard();
    CHECK_THAT(all, Contains(outcome));
    CHECK(all.find("worker born") == all.rfind("worker born"));
}

TEST_CASE("SIGTERM and SIGINT drain the worker, close the port, and end in good order, as PID 1 too",
          "[gatekeeper][supervisor]")
{
    const int signal = GENERATE(SIGTERM, SIGINT);
    const bool as_pid_1 = GENERATE(false, true);
    CAPTURE(signal, as_pid_1);
    Household house;
    UniqueFd socket = loopback_listener();
    const SocketAddress address = sys::local_address(socket.get()).value();
    house.listeners.push_back(first_listener(std::move(socket)));
    house.as_pid_1 = as_pid_1;
    house.start();
    house.wait_for_log("serving");
    house.signal(signal);
    CHECK(house.wait_for("worker drain ") == std::to_string(kDrainMs));
    house.wait_for("keyholder dismissed");
    CHECK(house.exit_code() == 0);
    CHECK_THAT(house.heard(), Contains(R"("finished":7)") && Contains(R"("cut":2)"));
    CHECK_FALSE(connected_to(address));
}

TEST_CASE("A drain between two lives of the worker has the next one serve who is queued", "[gatekeeper][supervisor]")
{
    Household house;
    house.start();
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    ::kill(worker, SIGKILL);
    house.wait_for_log("child died");
    house.signal(SIGTERM);
    house.wait_for("worker drain ");
    CHECK(house.exit_code() == 0);
    CHECK_THAT(house.heard(), Contains(R"("finished":7)"));
}

TEST_CASE("A worker that does not drain in time, or dies instead, is told by the exit code", "[gatekeeper][supervisor]")
{
    const std::string line = GENERATE("stubborn", "die-draining");
    CAPTURE(line);
    Household house;
    house.script("worker", line + "\n");
    house.patience.grace = 200ms;
    house.start();
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 70);
    CHECK(is_reaped(worker));
    CHECK_THAT(house.heard(), Contains("stopped without draining"));
}

TEST_CASE("A second signal, or SIGQUIT, stops both children at once", "[gatekeeper][supervisor]")
{
    const auto [first, second] = GENERATE(table<int, int>({{SIGTERM, SIGTERM}, {SIGTERM, SIGINT}, {0, SIGQUIT}}));
    const bool as_pid_1 = GENERATE(false, true);
    CAPTURE(first, second, as_pid_1);
    Household house;
    house.script("worker", "stubborn\n");
    house.as_pid_1 = as_pid_1;
    house.start();
    const pid_t keyholder = pid_of(house.wait_for("keyholder born "));
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    if (first != 0) {
        house.signal(first);
        house.wait_for("worker drain ");
    }
    house.signal(second);
    CHECK(house.exit_code() == 1);
    CHECK_THAT(house.heard(), Contains("stopped at once"));
    if (!as_pid_1) CHECK((is_reaped(keyholder) && is_reaped(worker)));
}

TEST_CASE("A signal before the first worker serves ends the gatekeeper without an error", "[gatekeeper][supervisor]")
{
    Household house;
    house.script("keyholder", "mute\n");
    house.start();
    house.wait_for("keyholder load");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
}

TEST_CASE("SIGHUP has the keyholder load again, and a failure leaves everything as it was", "[gatekeeper][supervisor]")
{
    Household house;
    house.script("keyholder", "fail-again\n");
    house.start();
    house.wait_for_log("serving");
    house.signal(SIGHUP);
    house.wait_for("keyholder load");
    CHECK_THAT(house.wait_for_log("certificates not reloaded"), Contains("tls.key does not belong to tls.crt"));
    house.signal(SIGHUP);
    house.wait_for("keyholder load");
    house.wait_for_log("certificates not reloaded");
    house.signal(SIGTERM);
    house.wait_for("worker drain ");
    CHECK(house.exit_code() == 0);
}

TEST_CASE("A keyholder that does not answer when it is to load again is followed by another",
          "[gatekeeper][supervisor]")
{
    Household house;
    house.script("keyholder", "mute-again\n");
    house.patience.start = kShortPatience;
    house.start();
    house.wait_for_log("serving");
    house.signal(SIGHUP);
    house.wait_for("keyholder born ");
    house.wait_for("worker met 3");
    CHECK_THAT(house.heard(), Contains("it did not answer in time"));
}

TEST_CASE("Signals that kill elsewhere and are dropped for PID 1 are ignored by both", "[gatekeeper][supervisor]")
{
    const int signal = GENERATE(SIGUSR1, SIGUSR2, SIGPIPE);
    CAPTURE(signal);
    Household house;
    house.start();
    house.wait_for_log("serving");
    house.signal(signal);
    house.signal(SIGHUP);
    house.wait_for("keyholder load");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
}

TEST_CASE("Strangers that die are reaped and change nothing, even where SIGCHLD was ignored before",
          "[gatekeeper][supervisor]")
{
    std::array<int, 2> told{};
    REQUIRE(::pipe2(told.data(), O_CLOEXEC) == 0);
    const UniqueFd read_end{told[0]};
    const UniqueFd write_end{told[1]};
    Household house;
    house.before = [&] {
        ::signal(SIGCHLD, SIG_IGN); // as some shells leave it
        const pid_t stranger = ::fork();
        if (stranger == 0) ::pause();
        static_cast<void>(!::write(write_end.get(), &stranger, sizeof stranger));
    };
    house.start();
    pid_t stranger{};
    REQUIRE(::read(read_end.get(), &stranger, sizeof stranger) == sizeof stranger);
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    ::kill(stranger, SIGKILL);
    // One signal later it has answered the stranger's death too.
    house.signal(SIGHUP);
    house.wait_for("keyholder load");
    ::kill(worker, SIGKILL);
    house.wait_for("worker born ");
    CHECK(is_reaped(stranger));
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
}
