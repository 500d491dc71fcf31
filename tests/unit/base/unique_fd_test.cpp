#include "sallyport/base/unique_fd.hpp"

#include <utility>

#include <fcntl.h>

#include "support/catch.hpp"

using sallyport::UniqueFd;

namespace {

int opened()
{
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

} // namespace

TEST_CASE("A descriptor is closed with its owner", "[base][unique_fd]")
{
    const int fd = opened();
    {
        const UniqueFd owner{fd};
        CHECK(owner.get() == fd);
        CHECK(owner);
        CHECK(is_open(fd));
    }
    CHECK_FALSE(is_open(fd));
}

TEST_CASE("A descriptor moves with its ownership", "[base][unique_fd]")
{
    const int fd = opened();
    UniqueFd first{fd};
    UniqueFd second{std::move(first)};
    CHECK_FALSE(first); // NOLINT(bugprone-use-after-move): the moved-from state is the contract
    CHECK(second.get() == fd);

    const int other = opened();
    UniqueFd third{other};
    third = std::move(second);
    CHECK(third.get() == fd);
    CHECK_FALSE(is_open(other));
    CHECK(is_open(fd));
}

TEST_CASE("A released descriptor stays open", "[base][unique_fd]")
{
    const int fd = opened();
    {
        UniqueFd owner{fd};
        CHECK(owner.release() == fd);
        CHECK_FALSE(owner);
    }
    CHECK(is_open(fd));
    UniqueFd{fd}.reset();
    CHECK_FALSE(is_open(fd));
}
