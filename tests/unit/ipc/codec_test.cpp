#include "sallyport/ipc/codec.hpp"

#include <string>

#include "sallyport/ipc/control.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::ipc;

namespace {

enum class Kind : std::uint8_t { sample = 0x5A };

template <typename T>
struct Holding {
    static constexpr Kind kKind = Kind::sample;
    T value{};

    template <typename A>
    void fields(A& a)
    {
        a(value);
    }
};

Bytes raw(std::initializer_list<unsigned> values)
{
    Bytes result;
    for (const unsigned value : values)
        result.push_back(static_cast<std::byte>(value));
    return result;
}

/// A count in front of so many bytes.
Bytes counted(std::uint32_t count, std::size_t bytes_that_follow)
{
    Bytes message = raw({0x5A, count & 0xFF, count >> 8 & 0xFF, count >> 16 & 0xFF, count >> 24});
    message.resize(message.size() + bytes_that_follow);
    return message;
}

} // namespace

TEST_CASE("Integers travel little-endian at their own width", "[ipc][codec]")
{
    CHECK(encode(Holding<std::uint32_t>{0x01020304}) == raw({0x5A, 4, 3, 2, 1}));
    CHECK(encode(Holding<std::uint16_t>{0x0102}) == raw({0x5A, 2, 1}));
    CHECK(encode(Holding<std::int64_t>{-2}) == raw({0x5A, 254, 255, 255, 255, 255, 255, 255, 255}));
    CHECK(encode(Holding<std::string>{"ab"}) == raw({0x5A, 2, 0, 0, 0, 'a', 'b'}));
}

TEST_CASE("A bool is 0 or 1 and nothing else", "[ipc][codec]")
{
    CHECK(decode<Holding<bool>>(raw({0x5A, 0}))->value == false);
    CHECK(decode<Holding<bool>>(raw({0x5A, 1}))->value == true);
    CHECK_FALSE(decode<Holding<bool>>(raw({0x5A, 2})));
    CHECK_FALSE(decode<Holding<bool>>(raw({0x5A, 255})));
}

TEST_CASE("A list holds 4096 elements and no more", "[ipc][codec]")
{
    CHECK(decode<Holding<std::vector<std::uint8_t>>>(counted(4096, 4096))->value.size() == 4096);
    CHECK_FALSE(decode<Holding<std::vector<std::uint8_t>>>(counted(4097, 4097)));
}

TEST_CASE("A text or byte string is never longer than a message", "[ipc][codec]")
{
    CHECK(decode<Holding<std::string>>(counted(kMessageMax, kMessageMax))->value.size() == kMessageMax);
    CHECK_FALSE(decode<Holding<std::string>>(counted(kMessageMax + 1, kMessageMax + 1)));
    CHECK_FALSE(decode<Holding<Bytes>>(counted(kMessageMax + 1, kMessageMax + 1)));
}

TEST_CASE("A count that promises more than there is costs no memory", "[ipc][codec]")
{
    const std::uint32_t count = GENERATE(std::uint32_t{1}, 4096U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU);
    CAPTURE(count);
    CHECK_FALSE(decode<Holding<std::string>>(counted(count, 0)));
    CHECK_FALSE(decode<Holding<Bytes>>(counted(count, 0)));
    CHECK_FALSE(decode<Holding<std::vector<std::uint64_t>>>(counted(count, 0)));
    CHECK_FALSE(decode<Holding<std::vector<LoadedPair>>>(counted(count, 0)));
    CHECK_FALSE(decode<Holding<SocketAddress>>(counted(count, 0)));
}

TEST_CASE("A socket address must be one of the three kinds, whole", "[ipc][codec]")
{
    CHECK(decode<Holding<SocketAddress>>(encode(Holding<SocketAddress>{*SocketAddress::parse("unix:/run/a")})));
    CHECK_FALSE(decode<Holding<SocketAddress>>(counted(16, 16))); // AF_UNSPEC
    CHECK_FALSE(decode<Holding<SocketAddress>>(counted(0, 0)));
    CHECK_FALSE(decode<Holding<SocketAddress>>(counted(sizeof(sockaddr_storage) + 1, sizeof(sockaddr_storage) + 1)));
}

TEST_CASE("Nothing is read after the first mistake", "[ipc][codec]")
{
    const Bytes bytes = raw({2, 7, 7, 7, 7});
    Reader reader{bytes};
    bool broken{};
    std::uint32_t after{};
    reader(broken, after);
    CHECK(after == 0);
    CHECK_FALSE(reader.complete());
}
