#include "sallyport/sys/start_program.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/temporary_directory.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

using Words = std::vector<std::string>;

void write_file(const std::string& path, const std::string& text, mode_t mode)
{
    std::ofstream{path} << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// In a child of our own, as PATH and the user belong to the process.
int error_with_path(const std::string& path, const std::string& word, uid_t user)
{
    return test::in_child([&] {
        ::setenv("PATH", path.c_str(), 1);
        MUST(user == 0 || ::setresuid(user, user, user) == 0);
        const auto started = start_program(Words{word});
        if (started) ::_exit(test::wait_for(*started));
        ::_exit(started.error().cause.value());
    });
}

} // namespace

TEST_CASE("A program is found in PATH, in a session of its own, with its arguments", "[sys][start_program]")
{
    const test::TemporaryDirectory directory;
    const std::string told = directory.file("told");
    const auto started =
        start_program(Words{"sh", "-c", "echo \"$1 $(cut -d' ' -f5,6 /proc/$$/stat)\" > " + told, "sh", "a b"});
    REQUIRE(started);
    REQUIRE(test::wait_for(*started) == 0);
    std::string line;
    std::ifstream file{told};
    std::getline(file, line);
    CHECK(line == "a b " + std::to_string(*started) + " " + std::to_string(*started));
}

TEST_CASE("A program is looked for as a shell does", "[sys][start_program]")
{
    test::needs_root();
    constexpr uid_t kStranger = 65533;
    const test::TemporaryDirectory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms{0755});
    const std::string open = directory.file("open"), closed = directory.file("closed");
    std::filesystem::create_directory(open);
    std::filesystem::create_directory(closed);
    write_file(open + "/good", "#!/bin/sh\nexit 42\n", 0755);
    write_file(open + "/plain", "text", 0644);
    write_file(open + "/headless", "exit 1\n", 0755);
    write_file(closed + "/good", "#!/bin/sh\nexit 43\n", 0755);
    std::filesystem::create_directory(open + "/directory");
    std::filesystem::permissions(closed, std::filesystem::perms{0700});
    const auto [word, code] = GENERATE(table<std::string, int>({
        {"good", 42},
        {"plain", EACCES},
        {"headless", ENOEXEC},
        {"directory", ENOENT},
        {"missing", ENOENT},
        {"", ENOENT},
        {"/plain", EACCES},
        {"/missing", ENOENT},
        {"/good", 42},
    }));
    CAPTURE(word);
    CHECK(error_with_path(closed + ":" + open, word.starts_with('/') ? open + word : word, kStranger) == code);
}

TEST_CASE("A program dies with the process that has started it", "[sys][start_program]")
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0); // open as long as the program lives
    CHECK(test::in_child([&] {
              ::close(ends[0]);
              MUST(start_program(Words{"sleep", "1000"}).has_value());
          }) == 0);
    ::close(ends[1]);
    char byte{};
    CHECK(::read(ends[0], &byte, 1) == 0);
    ::close(ends[0]);
}
