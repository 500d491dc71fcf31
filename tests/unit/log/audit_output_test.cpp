// The audit stream away from standard output.
#include "log/audit_output.hpp"

#include <array>
#include <regex>

#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/pipe.hpp"

using namespace sallyport;
using namespace sallyport::log;

TEST_CASE("To a descriptor a line goes as it is", "[log][audit]")
{
    test::Pipe pipe;
    AuditOutput output{pipe.write.get(), AuditPlace::descriptor, "worker"};
    CHECK(output.write("{\"a\":1}\n"));
    pipe.write.reset();
    CHECK(test::read_to_end(pipe.read.get()) == "{\"a\":1}\n");
}

TEST_CASE("To syslog a line is a datagram with priority, time, tag and pid", "[log][audit]")
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const UniqueFd ours{ends[0]};
    const UniqueFd daemon{ends[1]};
    AuditOutput output{ours.get(), AuditPlace::syslog, "worker"};
    REQUIRE(output.write("{\"a\":1}\n"));
    std::array<char, 256> text{};
    const ssize_t size = ::read(daemon.get(), text.data(), text.size());
    REQUIRE(size > 0);
    const std::string datagram{text.data(), static_cast<std::size_t>(size)};
    CAPTURE(datagram);
    CHECK(std::regex_match(datagram, std::regex{R"(<85>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d sallyport-worker\[)" +
                                                std::to_string(::getpid()) + R"(\]: \{"a":1\})"}));
}

TEST_CASE("A syslog that is gone costs the line", "[log][audit]")
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const UniqueFd ours{ends[0]};
    UniqueFd{ends[1]}.reset();
    AuditOutput output{ours.get(), AuditPlace::syslog, "worker"};
    CHECK_FALSE(output.write("line\n"));
}

TEST_CASE("With a place of their own, audit lines are JSON there and not among the others", "[log][audit]")
{
    const test::Pipe pipe;
    const auto captured = test::capture_child([&] {
        audit("early");
        start({.format = Format::plain,
               .process = "worker",
               .audit_place = AuditPlace::descriptor,
               .audit_fd = pipe.write.get()});
        info("serving");
        audit("late");
        stop();
        audit("after the stop");
    });
    REQUIRE(captured.status == 0);
    CHECK(captured.output.find("stream=audit") == std::string::npos);
    CHECK(captured.output.find("worker serving") != std::string::npos);
    std::array<char, 8192> text{};
    const ssize_t size = ::read(pipe.read.get(), text.data(), text.size());
    REQUIRE(size > 0);
    const std::string lines{text.data(), static_cast<std::size_t>(size)};
    std::size_t from = 0;
    for (const char* event : {"early", "late", "audit stream ends", "after the stop"}) {
        const std::size_t at = lines.find("\"stream\":\"audit\",\"event\":\"" + std::string{event} + "\"", from);
        CAPTURE(event, lines);
        REQUIRE(at != std::string::npos);
        from = at;
    }
}
