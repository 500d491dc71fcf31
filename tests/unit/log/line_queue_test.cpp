#include "log/line_queue.hpp"

#include <algorithm>
#include <sstream>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/pipe.hpp"

using namespace sallyport;
using namespace sallyport::log;

namespace {

void post(LineQueue& queue, const std::string& line)
{
    std::string numbered = std::string(kNumberBytes, '\0') + line + "\n";
    queue.post(numbered);
}

void post_audit(LineQueue& queue, const std::string& line)
{
    std::string numbered = std::string(kNumberBytes, '\0') + line + "\n";
    queue.post_audit(numbered);
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::istringstream stream{text};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

std::vector<std::string> starting_with(const std::vector<std::string>& lines, std::string_view start)
{
    std::vector<std::string> found;
    std::ranges::copy_if(lines, std::back_inserter(found), [&](const auto& line) { return line.starts_with(start); });
    return found;
}

/// The sum of what the lines about lost lines say.
std::uint64_t reported(const std::vector<std::string>& lines)
{
    constexpr std::string_view kCount = "log lines dropped count=";
    std::uint64_t sum{};
    for (const std::string& line : lines)
        if (const auto at = line.find(kCount); at != std::string::npos)
            sum += std::stoull(line.substr(at + kCount.size()));
    return sum;
}

Options options(std::uint32_t queue_lines, Level level = Level::info)
{
    return {.level = level, .format = Format::plain, .process = "", .queue_lines = queue_lines};
}

/// A pipe whose one page is full, so that the log thread stands still until `flow`.
class StuckPipe {
public:
    StuckPipe()
    {
        pipe_.make_narrow();
        REQUIRE(::write(pipe_.write.get(), std::string(4095, '#').append("\n").data(), 4096) == 4096);
    }
    [[nodiscard]] int fd() const { return pipe_.write.get(); }

    /// Reads all that comes until `queue` has ended.
    std::vector<std::string> flow(LineQueue& queue)
    {
        std::string text;
        std::jthread reader{[&] { text = test::read_to_end(pipe_.read.get()); }};
        queue.stop();
        pipe_.write.reset();
        reader.join();
        auto lines = lines_of(text);
        REQUIRE_FALSE(lines.empty());
        lines.erase(lines.begin()); // what made it stuck
        return lines;
    }

private:
    test::Pipe pipe_;
};

} // namespace

TEST_CASE("Lines are written in order, audit lines at their place", "[log][queue]")
{
    test::Pipe pipe;
    Output output{pipe.write.get()};
    {
        LineQueue queue{output, options(100)};
        post(queue, "1");
        post_audit(queue, "2");
        post_audit(queue, "3");
        post(queue, "4");
        post(queue, "5");
        post_audit(queue, "6");
    }
    pipe.write.reset();
    CHECK(test::read_to_end(pipe.read.get()) == "1\n2\n3\n4\n5\n6\n");
}

TEST_CASE("What was queued is written before the queue ends", "[log][queue]")
{
    test::Pipe pipe;
    Output output{pipe.write.get()};
    LineQueue queue{output, options(5000)};
    for (int i = 0; i < 5000; ++i)
        post(queue, "line");
    std::string text;
    std::jthread reader{[&] { text = test::read_to_end(pipe.read.get()); }};
    queue.stop();
    pipe.write.reset();
    reader.join();
    CHECK(lines_of(text).size() == 5000);
    CHECK(queue.dropped() == 0);
}

TEST_CASE("A full queue drops its oldest lines, counts them and says so", "[log][queue]")
{
    StuckPipe pipe;
    Output output{pipe.fd()};
    LineQueue queue{output, options(16)};
    constexpr int kLines = 1000;
    for (int i = 0; i < kLines; ++i)
        post(queue, "line " + std::to_string(i));
    const auto lines = pipe.flow(queue);

    const auto written = starting_with(lines, "line ");
    CHECK(written.size() >= 16);
    CHECK(written.back() == "line 999");
    CHECK(queue.dropped() == kLines - written.size());
    CHECK(queue.dropped() > 0);
    CHECK(reported(lines) == queue.dropped());
    CHECK(lines.size() > written.size()); // it is said, once or a few times
}

TEST_CASE("A flood of lines drops no audit line, and each keeps its place", "[log][queue]")
{
    StuckPipe pipe;
    Output output{pipe.fd()};
    LineQueue queue{output, options(8)};
    for (int i = 0; i < 100; ++i) {
        post_audit(queue, "audit " + std::to_string(i));
        for (int j = 0; j < 10; ++j)
            post(queue, "line");
    }
    const auto lines = pipe.flow(queue);

    const auto audit = starting_with(lines, "audit ");
    REQUIRE(audit.size() == 100);
    for (std::size_t i = 0; i < audit.size(); ++i)
        CHECK(audit[i] == "audit " + std::to_string(i));
    CHECK(queue.dropped() == 1000 - starting_with(lines, "line").size());
    CHECK(reported(lines) == queue.dropped());
}

TEST_CASE("Audit lines have a bound of their own", "[log][queue]")
{
    StuckPipe pipe;
    Output output{pipe.fd()};
    LineQueue queue{output, options(8)};
    constexpr std::size_t kLines = 2 * kAuditLinesMax;
    for (std::size_t i = 0; i < kLines; ++i)
        post_audit(queue, "audit " + std::to_string(i));
    const auto lines = pipe.flow(queue);
    const auto audit = starting_with(lines, "audit ");
    CHECK(audit.size() >= kAuditLinesMax);
    CHECK(audit.back() == "audit " + std::to_string(kLines - 1));
    CHECK(queue.dropped() == kLines - audit.size());
    CHECK(reported(lines) == queue.dropped());
}

TEST_CASE("Lost lines are not told to those who want errors only", "[log][queue]")
{
    StuckPipe pipe;
    Output output{pipe.fd()};
    LineQueue queue{output, options(4, Level::error)};
    for (int i = 0; i < 100; ++i)
        post(queue, "line");
    const auto lines = pipe.flow(queue);
    CHECK(lines.size() == starting_with(lines, "line").size());
    CHECK(queue.dropped() == 100 - lines.size());
}

TEST_CASE("The queue ends in time although nobody reads", "[log][queue]")
{
    StuckPipe pipe;
    Output output{pipe.fd()};
    LineQueue queue{output, options(16)};
    for (int i = 0; i < 100; ++i)
        post(queue, "line");
    output.give_up_after(std::chrono::milliseconds{1});
    queue.stop(); // would never return
    CHECK(queue.dropped() <= 100);
}

TEST_CASE("A queue of no lines is one of one line", "[log][queue]")
{
    test::Pipe pipe;
    Output output{pipe.write.get()};
    {
        LineQueue queue{output, options(0)};
        post(queue, "only");
    }
    pipe.write.reset();
    CHECK(test::read_to_end(pipe.read.get()) == "only\n");
}
