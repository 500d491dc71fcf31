#include "log/output.hpp"

#include <csignal>
#include <thread>

#include "log/line.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/pipe.hpp"

using namespace sallyport;
using namespace sallyport::log;
using std::chrono::milliseconds;

namespace {

std::string numbered_lines(int count)
{
    std::string text;
    for (int i = 0; i < count; ++i)
        text += "line " + std::to_string(i) + "\n";
    return text;
}

} // namespace

TEST_CASE("Text arrives as it was written", "[log][output]")
{
    test::Pipe pipe;
    Output output{pipe.write.get()};
    CHECK(output.write("one\n"));
    CHECK(output.write(""));
    CHECK(output.write("two\n"));
    pipe.write.reset();
    CHECK(test::read_to_end(pipe.read.get()) == "one\ntwo\n");
}

TEST_CASE("A slow reader gets everything, also of a descriptor that a stranger made non-blocking", "[log][output]")
{
    const bool non_blocking = GENERATE(false, true);
    CAPTURE(non_blocking);
    test::Pipe pipe;
    pipe.make_narrow();
    if (non_blocking) pipe.make_non_blocking();
    const std::string text = numbered_lines(20'000);
    std::jthread writer{[&] {
        Output output{pipe.write.get()};
        for (std::size_t at = 0; at < text.size(); at += 1000)
            output.write(std::string_view{text}.substr(at, 1000));
        pipe.write.reset();
    }};
    CHECK(test::read_to_end(pipe.read.get()) == text);
}

TEST_CASE("A text larger than the pipe is written part by part", "[log][output]")
{
    test::Pipe pipe;
    pipe.make_narrow();
    pipe.make_non_blocking();
    const std::string text = numbered_lines(20'000);
    std::jthread writer{[&] {
        Output output{pipe.write.get()};
        output.write(text);
        pipe.write.reset();
    }};
    CHECK(test::read_to_end(pipe.read.get()) == text);
}

TEST_CASE("A reader that went away costs the text, not the process", "[log][output]")
{
    CHECK(test::in_child([] {
              ::signal(SIGPIPE, SIG_IGN); // as log::start does
              test::Pipe pipe;
              pipe.read.reset();
              Output output{pipe.write.get()};
              MUST(!output.write("lost\n"));
              MUST(!output.write("lost\n"));
          }) == 0);
}

TEST_CASE("A closed descriptor costs the text", "[log][output]")
{
    Output output{1000};
    CHECK_FALSE(output.write("lost\n"));
}

TEST_CASE("Nobody reads: the writer gives up when it is told to", "[log][output]")
{
    test::Pipe pipe;
    pipe.make_narrow();
    Output output{pipe.write.get()};
    REQUIRE(output.write(std::string(4096, 'x')));
    output.give_up_after(milliseconds{20});
    CHECK_FALSE(output.write("too much\n"));

    std::array<char, 4096> drained{};
    REQUIRE(::read(pipe.read.get(), drained.data(), drained.size()) == 4096);
    CHECK(output.write("there is room again\n")); // past the time, but it need not wait
}

TEST_CASE("A writer that waits already learns that it shall give up", "[log][output]")
{
    test::Pipe pipe;
    pipe.make_narrow();
    Output output{pipe.write.get()};
    REQUIRE(output.write(std::string(4096, 'x')));
    bool written = true;
    std::jthread writer{[&] { written = output.write("too much\n"); }};
    output.give_up_after(milliseconds{1});
    writer.join();
    CHECK_FALSE(written);
}
