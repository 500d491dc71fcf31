#include "sallyport/sys/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/catch.hpp"

using namespace sallyport;
using sys::SharedMemory;

namespace {

UniqueFd duplicate(int fd)
{
    return UniqueFd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
}

} // namespace

TEST_CASE("What one writes the other reads", "[sys][memory]")
{
    SharedMemory made = std::move(SharedMemory::make("test", 4096).value());
    const SharedMemory other = std::move(SharedMemory::map(duplicate(made.fd()), false, 4096).value());
    CHECK(other.bytes()[7] == std::byte{0});
    made.bytes()[7] = std::byte{42};
    CHECK(other.bytes()[7] == std::byte{42});
    CHECK(other.fd() == -1);
}

TEST_CASE("Its size is for ever, so that no reader meets its end", "[sys][memory]")
{
    const SharedMemory made = std::move(SharedMemory::make("test", 4096).value());
    CHECK(::ftruncate(made.fd(), 0) != 0);
    CHECK(::ftruncate(made.fd(), 8192) != 0);
    CHECK_FALSE(SharedMemory::map(duplicate(made.fd()), false, 4097).has_value());
}

TEST_CASE("Once it is kept nobody else can write there, and who does goes on", "[sys][memory]")
{
    SharedMemory made = std::move(SharedMemory::make("test", 4096).value());
    made.end_new_writers();
    CHECK_FALSE(SharedMemory::map(duplicate(made.fd()), true, 4096).has_value());
    CHECK(::pwrite(made.fd(), "x", 1, 0) < 0);
    CHECK(SharedMemory::map(duplicate(made.fd()), false, 4096).has_value());
    made.bytes()[0] = std::byte{1};
}
