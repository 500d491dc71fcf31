#include <csignal>

#include "gatekeeper/supervisor.hpp"
#include "household.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace sallyport::gatekeeper::test;
using Catch::Contains;

namespace {

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

/// One that serves, and whose every SIGHUP brings a new configuration.
void begin(Household& house)
{
    house.has_next = true;
    house.listeners.push_back(first_listener(loopback_listener()));
    house.start();
    house.wait_for_log("serving");
}

void end(Household& house)
{
    house.signal(SIGTERM);
    CHECK(house.exit_code() == 0);
}

} // namespace

TEST_CASE("A new configuration has a keyholder and a worker of its own, and the old worker then drains without a limit",
          "[gatekeeper][reload]")
{
    Household house;
    begin(house);
    house.signal(SIGHUP);
    house.wait_for("keyholder born ");
    house.wait_for("worker born ");
    CHECK(house.wait_for("worker upstream ") == "app-2");
    CHECK(house.wait_for("worker listener ") == ":443 1");
    CHECK(house.wait_for("worker drain ") == "0 replaced");
    house.wait_for("keyholder dismissed");
    house.wait_for_log("generation drained");
    end(house);
    CHECK_THAT(house.heard(), Contains(R"("generation":2,"in_force":true)"));
}

TEST_CASE("What fails on its way into force leaves the old generation alone", "[gatekeeper][reload]")
{
    const auto [role, lines, reason] = GENERATE(table<std::string, std::string, std::string>({
        {"keyholder", "\nfail\n", "tls.key does not belong to tls.crt"},
        {"keyholder", "\ndie\n", "the keyholder died while starting: exit code 3"},
        {"worker", "\nfail\n", "no memory for a shard"},
        {"worker", "\ndie\n", "the worker died while starting: exit code 3"},
        {"worker", "\nmute\n", "the worker did not answer within"},
    }));
    CAPTURE(role, lines);
    Household house;
    if (lines == "\nmute\n") house.patience.start = kShortPatience;
    house.script(role, lines);
    begin(house);
    house.signal(SIGHUP);
    CHECK_THAT(house.wait_for_log("configuration not reloaded"), Contains(reason));
    CHECK_THAT(house.heard(), !Contains("worker drain"));
    house.signal(SIGHUP);
    CHECK(house.wait_for("worker drain ") == "0 replaced");
    end(house);
    CHECK_THAT(house.heard(), Contains(R"("generation":1,"in_force":false)"));
}

TEST_CASE("Reloads that fail leave no descriptor behind", "[gatekeeper][reload]")
{
    Household house;
    house.script("worker", "\nfail\nfail\nfail\n");
    begin(house);
    std::size_t after_one = 0;
    for (int i = 0; i < 3; ++i) {
        house.signal(SIGHUP);
        house.wait_for_log("\"settled\"");
        if (i == 0) after_one = house.descriptors();
    }
    CHECK(house.descriptors() == after_one);
    end(house);
}

TEST_CASE("A reload whose keyholder cannot even be started has its outcome told at once", "[gatekeeper][reload]")
{
    Household house;
    begin(house);
    fs::remove(house.path("sallyport-keyholder"));
    house.signal(SIGHUP);
    CHECK_THAT(house.wait_for_log("configuration not reloaded"), Contains("cannot start"));
    house.wait_for_log("\"settled\"");
    end(house);
}

TEST_CASE("A configuration that cannot come into force is told with its reason, and nobody is born",
          "[gatekeeper][reload]")
{
    Household house;
    house.refusal = "unknown key";
    begin(house);
    house.signal(SIGHUP);
    CHECK_THAT(house.wait_for_log("configuration not reloaded"), Contains("unknown key"));
    end(house);
    CHECK(count(house.heard(), "born") == 2);
}

TEST_CASE("Signals to reload that come meanwhile are answered by one more reload", "[gatekeeper][reload]")
{
    Household house;
    house.script("keyholder", "\nhold-first\n");
    begin(house);
    house.signal(SIGHUP);
    const pid_t second = pid_of(house.wait_for("keyholder born "));
    house.wait_for("keyholder load");
    for (int i = 0; i < 5; ++i)
        house.signal(SIGHUP);
    ::kill(second, SIGUSR1);
    house.wait_for_all({"worker drain 0 replaced", "worker upstream app-3"});
    CHECK(house.wait_for("worker drain ") == "0 replaced");
    end(house);
    CHECK(count(house.heard(), "keyholder born") == 3);
}

TEST_CASE("An end while a configuration is on its way into force ends that way, and drains who serves",
          "[gatekeeper][reload]")
{
    Household house;
    house.script("keyholder", "\nhold-first\n");
    begin(house);
    house.signal(SIGHUP);
    const pid_t second = pid_of(house.wait_for("keyholder born "));
    house.wait_for("keyholder load");
    house.signal(SIGTERM);
    CHECK(is_all_of_the_drain(house.wait_for("worker drain ")));
    CHECK(house.exit_code() == 0);
    CHECK(is_reaped(second));
}

TEST_CASE("The end drains every generation, and tells of all of them", "[gatekeeper][reload]")
{
    Household house;
    house.script("worker", "linger\nlinger\n");
    begin(house);
    for (int i = 0; i < 2; ++i) {
        house.signal(SIGHUP);
        CHECK(house.wait_for("worker drain ") == "0 replaced");
    }
    house.signal(SIGTERM);
    for (int i = 0; i < 3; ++i)
        CHECK(std::stoul(house.wait_for("worker drain ")) <= kDrainMs);
    CHECK(house.exit_code() == 0);
    CHECK_THAT(house.heard(), Contains(R"("finished":21)") && Contains(R"("cut":6)"));
}

TEST_CASE("The oldest generation is cut before there are too many, and the new one waits for its end",
          "[gatekeeper][reload]")
{
    Household house;
    house.generations_max = 2;
    house.script("worker", "linger\n");
    begin(house);
    house.signal(SIGHUP);
    CHECK(house.wait_for("worker drain ") == "0 replaced");
    house.signal(SIGHUP);
    CHECK(house.wait_for("worker drain ") == std::to_string(Household::kLastCallMs));
    house.wait_for("keyholder dismissed");
    house.wait_for("keyholder born ");
    CHECK(house.wait_for("worker drain ") == "0 replaced");
    end(house);
    CHECK_THAT(house.heard(), Contains("generation cut"));
}

TEST_CASE("A draining worker that dies is not followed by another, a serving one is, with the new configuration",
          "[gatekeeper][reload]")
{
    Household house;
    house.script("worker", "linger\n");
    house.has_next = true;
    house.start();
    const pid_t first = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    house.signal(SIGHUP);
    const pid_t second = pid_of(house.wait_for("worker born "));
    house.wait_for("worker drain ");
    ::kill(first, SIGKILL);
    house.wait_for_log("generation ended without draining");
    ::kill(second, SIGKILL);
    CHECK(house.wait_for("worker upstream ") == "app-2");
    house.wait_for("worker serve");
    end(house);
    CHECK(count(house.heard(), "worker born") == 3);
}

TEST_CASE("A listener that somebody has stopped costs every worker that may have done it its life",
          "[gatekeeper][reload]")
{
    Household house;
    const SocketAddress address = sys::local_address(loopback_listener().get()).value();
    UniqueFd socket = std::move(sys::listen_tcp(address, false).value());
    const UniqueFd captured{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)};
    house.script("worker", "linger\n");
    house.has_next = true;
    house.listeners.push_back(first_listener(std::move(socket)));
    house.start();
    const pid_t first = pid_of(house.wait_for("worker born "));
    house.wait_for_log("serving");
    house.signal(SIGHUP);
    const pid_t second = pid_of(house.wait_for("worker born "));
    house.wait_for("worker drain ");
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    REQUIRE(::connect(captured.get(), &nowhere, sizeof nowhere) == 0);
    house.wait_for("worker serve");
    CHECK((is_soon_reaped(first) && is_reaped(second)));
    CHECK(connected_to(address));
    end(house);
}
