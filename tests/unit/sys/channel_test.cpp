#include "sallyport/sys/channel.hpp"

#include <algorithm>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"

using namespace sallyport;
using sallyport::sys::Channel;

namespace {

std::vector<std::byte> message(std::size_t size, int fill = 7)
{
    return std::vector<std::byte>(size, static_cast<std::byte>(fill));
}

std::pair<Channel, Channel> channels()
{
    auto pair = Channel::pair();
    REQUIRE(pair);
    return std::move(*pair);
}

UniqueFd file()
{
    UniqueFd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    REQUIRE(fd);
    return fd;
}

std::size_t open_descriptors()
{
    std::size_t open{};
    for (int fd = 0; fd < 1024; ++fd)
        open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
}

bool is_dev_null(const UniqueFd& fd)
{
    struct stat theirs{}, real{};
    return ::fstat(fd.get(), &theirs) == 0 && ::stat("/dev/null", &real) == 0 && theirs.st_rdev == real.st_rdev;
}

} // namespace

TEST_CASE("Messages arrive whole and in order, in both directions", "[sys][channel]")
{
    auto [a, b] = channels();
    std::vector<std::byte> into(1024);
    for (auto* ends : {&a, &b}) {
        Channel& from = *ends;
        Channel& to = ends == &a ? b : a;
        REQUIRE(from.send(message(3, 1)));
        REQUIRE(from.send(message(5, 2)));
        const auto first = to.receive(into);
        REQUIRE(first);
        CHECK(first->size == 3);
        CHECK(into[2] == std::byte{1});
        const auto second = to.receive(into);
        REQUIRE(second);
        CHECK(second->size == 5);
        CHECK(into[4] == std::byte{2});
    }
}

TEST_CASE("The largest message of the protocol passes", "[sys][channel]")
{
    auto [a, b] = channels();
    const auto large = message(128 * 1024, 9);
    std::vector<std::byte> into(large.size());
    REQUIRE(a.send(large)); // fits the socket's buffer: nobody reads yet
    const auto received = b.receive(into);
    REQUIRE(received);
    CHECK(received->size == large.size());
    CHECK(into == large);
}

TEST_CASE("Descriptors travel with their message, close-on-exec", "[sys][channel]")
{
    const std::size_t count = GENERATE(std::size_t{1}, 2U, sys::kDescriptorsMax);
    CAPTURE(count);
    auto [a, b] = channels();
    const UniqueFd sent = file();
    REQUIRE(a.send(message(1), std::vector<int>(count, sent.get())));
    std::vector<std::byte> into(16);
    const auto received = b.receive(into);
    REQUIRE(received);
    REQUIRE(received->descriptors.size() == count);
    CHECK(std::ranges::all_of(received->descriptors, is_dev_null));
    CHECK(std::ranges::all_of(received->descriptors,
                              [](const UniqueFd& fd) { return ::fcntl(fd.get(), F_GETFD) == FD_CLOEXEC; }));
}

TEST_CASE("Too many descriptors are refused before anything is sent", "[sys][channel]")
{
    auto [a, b] = channels();
    const UniqueFd sent = file();
    const auto refused = a.send(message(1), std::vector<int>(sys::kDescriptorsMax + 1, sent.get()));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::over_limit);
    REQUIRE(a.send(message(2)));
    std::vector<std::byte> into(16);
    CHECK(b.receive(into)->size == 2);
}

TEST_CASE("A message that is larger than the socket takes is refused", "[sys][channel]")
{
    auto [a, b] = channels();
    const auto refused = a.send(message(16 * 1024 * 1024));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::over_limit);
}

TEST_CASE("A message that does not fit the reader is an error, and its descriptors are closed", "[sys][channel]")
{
    auto [a, b] = channels();
    const UniqueFd sent = file();
    const std::size_t before = open_descriptors();
    REQUIRE(a.send(message(100), std::vector<int>(5, sent.get())));
    std::vector<std::byte> into(99);
    const auto cut = b.receive(into);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().fault == Fault::over_limit);
    CHECK(open_descriptors() == before);
    REQUIRE(a.send(message(99)));
    CHECK(b.receive(into)->size == 99); // the next message is whole
}

TEST_CASE("A closed peer reads as the end, and writing to it raises no signal", "[sys][channel]")
{
    auto [a, b] = channels();
    b = Channel{};
    std::vector<std::byte> into(16);
    const auto end = a.receive(into);
    REQUIRE(end);
    CHECK(end->size == 0);
    const auto refused = a.send(message(1)); // SIGPIPE would kill this test
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == Fault::reset);
}

TEST_CASE("What was sent before the peer closed is still read", "[sys][channel]")
{
    auto [a, b] = channels();
    REQUIRE(a.send(message(4)));
    a = Channel{};
    std::vector<std::byte> into(16);
    CHECK(b.receive(into)->size == 4);
    CHECK(b.receive(into)->size == 0);
}

TEST_CASE("Waiting ends at the time-out, in both directions", "[sys][channel]")
{
    auto [a, b] = channels();
    REQUIRE(a.set_timeout(std::chrono::milliseconds{20}));
    std::vector<std::byte> into(16);
    const auto nothing = a.receive(into);
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().fault == Fault::timeout);

    Result<void> sent{};
    for (int i = 0; i < 100'000 && sent; ++i)
        sent = a.send(message(1024));
    REQUIRE_FALSE(sent);
    CHECK(sent.error().fault == Fault::timeout);
}

TEST_CASE("A receiver waits for a message", "[sys][channel]")
{
    auto [a, b] = channels();
    std::jthread sender{[&from = a] { static_cast<void>(from.send(message(6))); }};
    std::vector<std::byte> into(16);
    CHECK(b.receive(into)->size == 6);
}

TEST_CASE("The ends of a channel do not survive an exec", "[sys][channel]")
{
    const auto [a, b] = channels();
    CHECK(::fcntl(a.fd(), F_GETFD) == FD_CLOEXEC);
    CHECK(::fcntl(b.fd(), F_GETFD) == FD_CLOEXEC);
}
