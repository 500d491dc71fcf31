#include "gatekeeper/supervisor.hpp"

#include <csignal>

#include "household.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace sallyport::gatekeeper::test;
using Catch::Contains;

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
    CHECK(is_all_of_the_drain(house.wait_for("worker drain ")));
    house.wait_for("keyholder dismissed");
    CHECK(house.exit_code() == 0);
    CHECK_THAT(house.heard(), Contains(R"("finished":7)") && Contains(R"("cut":2)"));
    CHECK_FALSE(connected_to(address));
}

TEST_CASE("During the delay a worker is told that it is not ready, one that is born then too, and is drained later",
          "[gatekeeper][supervisor]")
{
    Household house;
    house.drain_delay_ms = kDrainMs - 100;
    house.start();
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    house.signal(SIGTERM);
    house.wait_for("worker unready");
    ::kill(worker, SIGKILL);
    house.wait_for("worker serve");
    house.wait_for("worker unready");
    CHECK(std::stoi(house.wait_for("worker drain ")) <= 100);
    CHECK(house.exit_code() == 0);
}

TEST_CASE("A second signal during the delay stops at once", "[gatekeeper][supervisor]")
{
    Household house;
    house.drain_delay_ms = 60'000;
    house.start();
    const pid_t worker = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    house.signal(SIGTERM);
    house.wait_for("worker unready");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 1);
    CHECK(is_reaped(worker));
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
    CHECK(house.is_told("it did not answer in time"));
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
    CHECK(is_soon_reaped(stranger));
    house.signal(SIGHUP);
    house.wait_for("keyholder load");
    ::kill(worker, SIGKILL);
    house.wait_for("worker born ");
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
}
