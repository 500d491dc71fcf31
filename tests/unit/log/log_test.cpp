// The log of a whole process: each test is a child whose standard output is read.
#include "sallyport/log/log.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "sallyport/base/start_error.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/pipe.hpp"

using namespace sallyport;

namespace {

std::vector<std::string> lines_of(const std::string& text)
{
    std::istringstream stream{text};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of_child(const std::function<void()>& piece)
{
    const auto captured = test::capture_child(piece);
    CAPTURE(captured.output);
    REQUIRE(captured.status == 0);
    return lines_of(captured.output);
}

struct ThreadStatus {
    std::string blocked; ///< signals, as /proc prints them
};

std::vector<ThreadStatus> log_threads()
{
    std::vector<ThreadStatus> found;
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream status{task.path() / "status"};
        std::string text{std::istreambuf_iterator<char>{status}, {}};
        constexpr std::string_view kBlocked = "SigBlk:\t";
        if (text.starts_with("Name:\tlog\n")) found.push_back({text.substr(text.find(kBlocked) + kBlocked.size(), 16)});
    }
    return found;
}

} // namespace

TEST_CASE("Lines from before the start are kept and come first", "[log]")
{
    const auto lines = lines_of_child([] {
        {
            const std::string short_lived = "value " + std::to_string(1);
            log::info("early", {{"text", short_lived}, {"number", 7}});
        }
        log::audit("bound");
        log::start({.process = "worker"});
        log::info("late");
        log::stop();
    });
    REQUIRE(lines.size() == 4);
    CHECK(has(lines[0], R"("process":"worker","event":"early","text":"value 1","number":7)"));
    CHECK(has(lines[1], R"("stream":"audit","event":"bound")"));
    CHECK(has(lines[2], R"("event":"late")"));
    CHECK(has(lines[3], R"("stream":"audit","event":"audit stream ends")"));
}

TEST_CASE("A line of another format keeps its place, and obeys the level", "[log]")
{
    const bool early = GENERATE(false, true);
    const auto lines = lines_of_child([early] {
        if (!early) log::start({.level = log::Level::info});
        log::info("first");
        log::write_as_is(log::Level::info, "GET / 200");
        log::write_as_is(log::Level::debug, "GET / 304");
        log::info("last");
        if (early) log::start({.level = log::Level::info});
        log::stop();
    });
    REQUIRE(lines.size() == 3);
    CHECK(lines[1] == "GET / 200");
    CHECK(has(lines[2], R"("event":"last")"));
}

TEST_CASE("Levels below the chosen one are silent, audit lines never are", "[log]")
{
    const auto [level, expected] = GENERATE(table<log::Level, std::vector<std::string>>({
        {log::Level::debug, {"debug", "info", "warn", "error", "audit"}},
        {log::Level::info, {"info", "warn", "error", "audit"}},
        {log::Level::warn, {"warn", "error", "audit"}},
        {log::Level::error, {"error", "audit"}},
        {log::Level::none, {"audit"}},
    }));
    const bool early = GENERATE(false, true);
    const auto lines = lines_of_child([&, chosen = level] {
        if (!early) log::start({.level = chosen});
        log::debug("debug");
        log::info("info");
        log::warn("warn");
        log::error("error");
        log::audit("audit");
        if (early) log::start({.level = chosen});
        MUST(log::enabled(log::Level::error) == (chosen != log::Level::none));
        MUST(log::enabled(log::Level::debug) == (chosen == log::Level::debug));
        MUST(!log::enabled(log::Level::none));
        log::stop();
    });
    REQUIRE(lines.size() == expected.size() + 1); // the end of the audit stream
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(has(lines[i], "\"event\":\"" + expected[i] + "\""));
}

TEST_CASE("A process that never started its log still tells what it kept", "[log]")
{
    const auto lines = lines_of_child([] {
        log::error("could not start");
        log::stop();
    });
    REQUIRE(lines.size() == 1);
    CHECK(has(lines[0], R"("level":"error","event":"could not start")"));
}

TEST_CASE("Of too many early lines the first 1024 are kept, and the rest is counted", "[log]")
{
    const auto lines = lines_of_child([] {
        for (int i = 0; i < 1100; ++i)
            log::info("early", {{"i", i}});
        MUST(log::dropped() == 76);
        log::start({.format = log::Format::plain});
        log::stop();
        MUST(log::dropped() == 76);
    });
    REQUIRE(lines.size() == 1025);
    CHECK(has(lines[1023], "early i=1023"));
    CHECK(has(lines[1024], "log lines dropped count=76"));
}

TEST_CASE("Lines after the stop are written at once", "[log]")
{
    const auto lines = lines_of_child([] {
        log::start({});
        log::info("before");
        log::stop();
        log::info("after");
        log::stop();
    });
    REQUIRE(lines.size() == 2);
    CHECK(has(lines[1], R"("event":"after")"));
}

TEST_CASE("Many threads log whole lines and lose none", "[log]")
{
    constexpr int kThreads = 4, kLines = 500;
    const auto lines = lines_of_child([] {
        log::start({.format = log::Format::plain, .process = "worker"});
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t)
            threads.emplace_back([t] {
                for (int i = 0; i < kLines; ++i)
                    log::info("connection ended", {{"thread", t}, {"i", i}, {"text", std::string(100, 'x')}});
            });
        threads.clear();
        log::stop();
        MUST(log::dropped() == 0);
    });
    REQUIRE(lines.size() == kThreads * kLines);
    for (int t = 0; t < kThreads; ++t) {
        int next = 0;
        for (const std::string& line : lines)
            if (has(line, "thread=" + std::to_string(t) + " ")) {
                CHECK(has(line, "i=" + std::to_string(next++) + " text=" + std::string(100, 'x')));
            }
        CHECK(next == kLines);
    }
}

TEST_CASE("Threads may log while the log starts and stops", "[log]")
{
    const auto lines = lines_of_child([] {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 3; ++t)
            threads.emplace_back([] {
                for (int i = 0; i < 300; ++i)
                    log::info("line");
            });
        log::start({});
        log::stop();
        threads.clear();
    });
    CHECK(lines.size() == 900);
}

TEST_CASE("A reader that goes away ends neither the process nor its time", "[log]")
{
    CHECK(test::in_child([] {
              test::Pipe pipe;
              ::dup2(pipe.write.get(), STDOUT_FILENO);
              pipe.write.reset();
              pipe.read.reset();
              log::start({});
              for (int i = 0; i < 1000; ++i)
                  log::info("to nobody");
              log::stop();
              log::info("after the stop"); // written by this thread itself
          }) == 0);
}

TEST_CASE("A closed standard output costs the lines alone", "[log]")
{
    CHECK(test::in_child([] {
              ::close(STDOUT_FILENO);
              log::start({});
              log::info("to nobody");
              log::stop();
          }) == 0);
}

TEST_CASE("The log does not change the flags of standard output", "[log]")
{
    CHECK(test::in_child([] {
              const test::Pipe pipe;
              ::dup2(pipe.write.get(), STDOUT_FILENO);
              const int before = ::fcntl(STDOUT_FILENO, F_GETFL);
              log::start({});
              log::info("line");
              log::stop();
              MUST(::fcntl(STDOUT_FILENO, F_GETFL) == before);
              MUST((before & O_NONBLOCK) == 0);
          }) == 0);
}

TEST_CASE("The log thread has a name and takes no signals but a filter's", "[log]")
{
    CHECK(test::in_child([] {
              log::start({.level = log::Level::none});
              while (log_threads().empty()) // it names itself when it begins
                  std::this_thread::yield();
              for (const ThreadStatus& thread : log_threads())
                  MUST(thread.blocked == "fffffffe3ffbfeff"); // all but SIGSYS, SIGKILL, SIGSTOP, the C library's two
              log::stop();
          }) == 0);
}

TEST_CASE("Without room for a thread the start fails with a reason", "[log]")
{
    test::needs_root();
    CHECK(test::in_child([] {
              const rlimit one{1, 1};
              MUST(::setrlimit(RLIMIT_NPROC, &one) == 0);
              MUST(::setuid(65533) == 0); // root's own tasks are not limited
              std::string reason;
              try {
                  log::start({});
              } catch (const StartError& error) {
                  MUST(error.code() == ExitCode::os_error);
                  reason = error.what();
              }
              MUST(has(reason, "log thread"));
          }) == 0);
}
