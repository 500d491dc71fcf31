#include "keyholder/source_file.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

namespace {

/// As nobody in particular, while it lives: root reads everything.
class Unprivileged {
public:
    Unprivileged() : group_{getegid()}, user_{geteuid()}
    {
        if (user_ != 0) return;
        REQUIRE(setegid(65534) == 0);
        REQUIRE(seteuid(65534) == 0);
    }
    ~Unprivileged()
    {
        if (user_ != 0) return;
        if (seteuid(user_) != 0 || setegid(group_) != 0) std::abort(); // the tests that follow must be who they were
    }

private:
    gid_t group_;
    uid_t user_;
};

} // namespace

TEST_CASE("A file is read whole", "[keyholder][source]")
{
    const pki::Directory directory;
    const std::size_t size = GENERATE(as<std::size_t>{}, 1, 4095, 4096, 4097, 1024 * 1024);
    const std::string content(size, 'x');
    const auto read = read_source(directory.write("f", content));
    REQUIRE(read.has_value());
    CHECK(read->text() == content);
}

TEST_CASE("What cannot be a certificate or a key is refused by its file", "[keyholder][source]")
{
    const pki::Directory directory;
    CHECK_THAT(read_source(directory.file("absent")).error().text, Catch::EndsWith("No such file or directory"));
    CHECK_THAT(read_source(directory.write("empty", "")).error().text, Catch::EndsWith("is empty"));
    CHECK_THAT(read_source(directory.write("large", std::string(1024 * 1024 + 1, 'x'))).error().text,
               Catch::Contains("is larger than 1024 KiB"));
    CHECK_THAT(read_source(directory.file("")).error().text, Catch::EndsWith("is not a regular file"));
    REQUIRE(mkfifo(directory.file("fifo").c_str(), 0600) == 0);
    CHECK_THAT(read_source(directory.file("fifo")).error().text, Catch::EndsWith("is not a regular file"));
    CHECK(read_source(directory.file("fifo")).error().code == ExitCode::configuration);
}

TEST_CASE("A file without a size of its own is read to its end", "[keyholder][source]")
{
    const auto read = read_source("/proc/self/status");
    REQUIRE(read.has_value());
    CHECK_THAT(std::string{read->text()}, Catch::StartsWith("Name:"));
}

TEST_CASE("A file that we may not read is told with its owner, ourselves and the way out", "[keyholder][source]")
{
    const pki::Directory directory;
    const std::string path = directory.write("tls.key", "x");
    REQUIRE(chmod(path.c_str(), geteuid() == 0 ? 0640 : 0) == 0);
    REQUIRE(chmod(directory.file("").c_str(), 0755) == 0);
    const bool root = geteuid() == 0;
    const Unprivileged here;
    const auto read = read_source(path);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == ExitCode::permission);
    CHECK_THAT(read.error().text, Catch::StartsWith("cannot read " + path + ": permission denied ("));
    if (!root) return;
    CHECK_THAT(read.error().text, Catch::Contains("(it is mode 0640 root:root, I run as 65534:65534)"));
    CHECK_THAT(read.error().text, Catch::Contains("chgrp 65534") && Catch::Contains("fsGroup: 65534"));
}

TEST_CASE("A file that others may read is told, one for its owner and our group is not", "[keyholder][source]")
{
    const pki::Directory directory;
    const std::string path = directory.write("tls.key", "x");
    const auto told = [&](mode_t mode) {
        REQUIRE(chmod(path.c_str(), mode) == 0);
        return open_to_others(path).value_or("");
    };
    CHECK(told(0400).empty());
    CHECK(told(0640).empty()); // the group is ours
    CHECK_THAT(told(0644), Catch::StartsWith(path + " may be read by everybody (mode 0644 "));
    if (geteuid() == 0) {
        REQUIRE(chown(path.c_str(), 0, 4711) == 0);
        CHECK_THAT(told(0640), Catch::Contains("by its group (mode 0640 root:4711, I run as 0:0)"));
    }
    CHECK_FALSE(open_to_others(directory.file("absent")));
}

TEST_CASE("A closed directory is told from a closed file", "[keyholder][source]")
{
    const pki::Directory directory;
    const std::string path = directory.write("tls.key", "x");
    REQUIRE(chmod(directory.file("").c_str(), geteuid() == 0 ? 0700 : 0) == 0);
    Checked<SecretBuffer> read = SecretBuffer{};
    {
        const Unprivileged here;
        read = read_source(path);
    }
    REQUIRE(chmod(directory.file("").c_str(), 0700) == 0);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == ExitCode::permission);
    CHECK_THAT(read.error().text, Catch::Contains("a directory above it is closed"));
}

TEST_CASE("A memory file is read from its beginning, again and again", "[keyholder][source]")
{
    const std::string content = "-----BEGIN X-----";
    const auto file = sys::sealed_copy(std::as_bytes(std::span{content}));
    REQUIRE(file.has_value());
    for (int i = 0; i < 2; ++i) {
        lseek(file->get(), 5, SEEK_SET);
        const auto read = read_source(file->get(), "SALLYPORT_CERT");
        REQUIRE(read.has_value());
        CHECK(read->text() == content);
    }
}

TEST_CASE("A secret buffer is moved, never copied", "[keyholder][secret]")
{
    SecretBuffer first{10};
    first.room()[0] = std::byte{'x'};
    first.set_size(1);
    const void* place = first.bytes().data();
    SecretBuffer second{std::move(first)};
    CHECK(second.bytes().data() == place);
    CHECK(second.text() == "x");
    SecretBuffer third{5000};
    third = std::move(second);
    CHECK(third.bytes().data() == place);
    CHECK(SecretBuffer{}.text().empty());
}
