#include "gatekeeper/supervisor.hpp"

#include <csignal>

#include "household.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace sallyport::gatekeeper::test;
using Catch::Contains;

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
    // Nobody else has an end of the dead worker's channels.
    const auto told = house.wait_for_all({"keyholder channels 0", "worker born ", "worker accepted"});
    CHECK(pid_of(told[1]) != first);
    char answer{};
    CHECK(::read(client.get(), &answer, 1) == 1);
    CHECK(answer == 'x');
    CHECK(house.is_told("signal 9 (KILL)"));
    const std::string all = house.heard();
    CHECK_THAT(all, !Contains("met nobody"));
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
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
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
    CHECK(house.wait_for_all({"worker channels 0", "keyholder secret of "})[1] == first);
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
    CHECK(house.is_told("it did not answer in time"));
    CHECK(house.is_told("it did not end in time"));
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
    CHECK(house.is_told("the keyholder wants no more of it"));
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
    CHECK(house.is_told("it said what no child says"));
}

TEST_CASE("Only the first last word counts: a child cannot fill the audit log with them", "[gatekeeper][supervisor]")
{
    Household house;
    house.script("worker", "last-words\n");
    house.patience.grace = 300ms;
    house.start();
    house.wait_for("worker serve");
    house.wait_for("worker serve");
    CHECK(house.is_told("system call refused"));
    const std::string all = house.heard();
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
