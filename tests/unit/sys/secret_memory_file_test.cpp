#include "sallyport/sys/secret_memory_file.hpp"

#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/pipe.hpp"

using namespace sallyport;
using namespace sallyport::sys;

namespace {

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span{text});
}

std::string text_of(const std::vector<std::byte>& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

TEST_CASE("A sealed copy is read as often as one likes", "[sys][memory_file]")
{
    const auto file = sealed_copy(bytes_of("a secret"));
    REQUIRE(file);
    for (int i = 0; i < 2; ++i)
        CHECK(text_of(read_all(file->get(), 100).value()) == "a secret");
    CHECK(file_size(file->get()) == std::size_t{8});
    CHECK(::fcntl(file->get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("A sealed copy never changes again", "[sys][memory_file]")
{
    const auto file = sealed_copy(bytes_of("a secret"));
    REQUIRE(file);
    CHECK(sealed(file->get()) == true);
    CHECK(::pwrite(file->get(), "x", 1, 0) < 0);
    CHECK(::ftruncate(file->get(), 0) < 0);
    CHECK(::ftruncate(file->get(), 100) < 0);
    CHECK(::mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0) == MAP_FAILED);
    CHECK(::fcntl(file->get(), F_ADD_SEALS, F_SEAL_GROW) < 0);
    CHECK(text_of(read_all(file->get(), 100).value()) == "a secret");
}

TEST_CASE("An empty file is filled, then sealed", "[sys][memory_file]")
{
    const auto file = empty_file("tickets");
    REQUIRE(file);
    CHECK(sealed(file->get()) == false);
    CHECK(file_size(file->get()) == std::size_t{0});
    CHECK(read_all(file->get(), 0)->empty());
    REQUIRE(::write(file->get(), "12345", 5) == 5);
    CHECK(text_of(read_all(file->get(), 5).value()) == "12345");
    REQUIRE(seal(file->get()));
    CHECK(sealed(file->get()) == true);
    CHECK(::write(file->get(), "6", 1) < 0);
}

TEST_CASE("A file above the limit is not read", "[sys][memory_file]")
{
    const auto file = sealed_copy(bytes_of("12345"));
    const auto refused = read_all(file->get(), 4);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::over_limit);
    CHECK(read_all(file->get(), 5));
}

TEST_CASE("Memory of the caller's own is filled exactly", "[sys][memory_file]")
{
    const auto file = sealed_copy(bytes_of("12345"));
    std::vector<std::byte> exact(5), longer(6);
    REQUIRE(read_into(file->get(), exact));
    CHECK(text_of(exact) == "12345");
    const auto truncated = read_into(file->get(), longer);
    REQUIRE_FALSE(truncated);
    CHECK(truncated.error().fault == Fault::truncated);
}

TEST_CASE("A descriptor that is no memory file is refused", "[sys][memory_file]")
{
    CHECK_FALSE(file_size(-1));
    CHECK_FALSE(read_all(-1, 10));
    CHECK_FALSE(seal(STDERR_FILENO));
    CHECK_FALSE(sealed(-1));
}

TEST_CASE("What a pipe holds is sealed whole, and no more than is allowed", "[sys][memory_file]")
{
    const auto sealed_from = [](const std::string& text, std::size_t limit) {
        test::Pipe pipe;
        REQUIRE(::write(pipe.write.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        pipe.write.reset();
        return sealed_text_of(pipe.read.get(), limit);
    };
    const auto file = sealed_from("12345", 5);
    REQUIRE(file);
    CHECK(text_of(read_all(file->get(), 5).value()) == "12345");
    CHECK(sealed(file->get()) == true);
    CHECK(sealed_from("123456", 5).error().fault == Fault::over_limit);
    CHECK(sealed_from("", 5).error().fault == Fault::truncated);
    CHECK_FALSE(sealed_text_of(-1, 5));
}
