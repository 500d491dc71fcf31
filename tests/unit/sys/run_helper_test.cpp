#include "sallyport/sys/run_helper.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;
using namespace sallyport::sys;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

TEST_CASE("A helper's end is its exit code, or its signal", "[sys][helper]")
{
    CHECK(run_helper(Words{"/bin/sh", "-c", "exit 3"}, 10s).value() == 3);
    CHECK(run_helper(Words{"/bin/sh", "-c", "kill -9 $$"}, 10s).value() == 128 + 9);
    CHECK(run_helper(Words{"/there/is/none"}, 10s).error().cause.value() == ENOENT);
}

TEST_CASE("A helper that takes too long is killed", "[sys][helper]")
{
    const auto ended = run_helper(Words{"/bin/sleep", "60"}, 50ms);
    REQUIRE_FALSE(ended.has_value());
    CHECK(ended.error().fault == Fault::timeout);
}

TEST_CASE("A helper has a path, three descriptors, and nothing else of ours", "[sys][helper]")
{
    const test::TemporaryDirectory directory;
    ::setenv("SALLYPORT_TEST_SECRET", "x", 1);
    const std::string told = directory.file("told");
    CHECK(run_helper(
              Words{"/bin/sh", "-c", "exec 9>" + told + "; tr '\\0' ' ' </proc/self/environ >&9; ls /proc/self/fd >&9"},
              10s)
              .value() == 0);
    ::unsetenv("SALLYPORT_TEST_SECRET");
    std::ifstream file{told};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    CHECK(text.starts_with("PATH=/usr/sbin:/usr/bin:/sbin:/bin "));
    CHECK_THAT(text, !Catch::Contains("SECRET"));
    // 3 is the directory that ls reads, 9 the file.
    CHECK_THAT(text, Catch::Contains("0\n1\n2\n3\n9\n"));
}
