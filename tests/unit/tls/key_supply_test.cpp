#include "sallyport/tls/key_supply.hpp"

#include <functional>
#include <thread>

#include <sys/socket.h>

#include "pki.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::tls;
using namespace sallyport::tls::test;

namespace {

/// The keyholder's end: answers each request by a script, on a thread of its own.
class FakeSupply {
public:
    using Script = std::function<void(sys::Channel&, std::span<const std::byte>)>;

    explicit FakeSupply(Script script) : FakeSupply{sys::Channel::pair().value(), std::move(script)} {}
    FakeSupply(const FakeSupply&) = delete;
    FakeSupply& operator=(const FakeSupply&) = delete;
    ~FakeSupply()
    {
        ::shutdown(channel_.fd(), SHUT_RDWR);
        thread_.join();
    }
    [[nodiscard]] sys::Channel worker_end() { return std::move(worker_end_); }

private:
    FakeSupply(std::pair<sys::Channel, sys::Channel> ends, Script script)
        : script_{std::move(script)},
          worker_end_{std::move(ends.first)},
          channel_{std::move(ends.second)},
          thread_{[this] { run(); }}
    {
    }
    void run()
    {
        std::array<std::byte, 256> buffer;
        for (;;) {
            const auto received = channel_.receive(buffer);
            if (!received || received->size == 0) return;
            script_(channel_, std::span{buffer}.first(received->size));
        }
    }

    Script script_;
    sys::Channel worker_end_;
    sys::Channel channel_;
    std::thread thread_;
};

template <typename Message>
void send(sys::Channel& channel, const Message& message)
{
    static_cast<void>(channel.send(ipc::encode(message)));
}

/// Certificate i is the one byte i; the ring has two keys.
void describe_honestly(sys::Channel& channel, std::span<const std::byte> request)
{
    if (const auto asked = ipc::decode<ipc::DescribeCertificate>(request))
        send(channel, ipc::Certificate{asked->index, 0, {{static_cast<std::byte>(asked->index)}}, {}});
    if (ipc::decode<ipc::DescribeTickets>(request)) send(channel, ipc::Tickets{{ticket_key(1), ticket_key(2)}});
}

Fault fault_of(FakeSupply::Script script)
{
    FakeSupply keyholder{std::move(script)};
    KeySupply supply{keyholder.worker_end()};
    const auto described = supply.describe(2);
    REQUIRE_FALSE(described);
    return described.error().fault;
}

} // namespace

TEST_CASE("All certificates and the ticket keys are described, in order", "[tls][supply]")
{
    FakeSupply keyholder{describe_honestly};
    KeySupply supply{keyholder.worker_end()};
    const auto described = supply.describe(3);
    REQUIRE(described);
    REQUIRE(described->certificates.size() == 3);
    CHECK(described->certificates[2].chain.front().front() == std::byte{2});
    REQUIRE(described->tickets.size() == 2);
    CHECK(described->tickets[0].name.front() == std::byte{1});
    CHECK_FALSE(supply.has_notice());
}

TEST_CASE("Notices that come before an answer are kept, merged and given out once", "[tls][supply]")
{
    FakeSupply keyholder{[](sys::Channel& channel, std::span<const std::byte> request) {
        if (ipc::decode<ipc::DescribeCertificate>(request)) send(channel, ipc::Changed{true, false});
        if (ipc::decode<ipc::DescribeTickets>(request)) send(channel, ipc::Changed{false, true});
        describe_honestly(channel, request);
    }};
    KeySupply supply{keyholder.worker_end()};
    REQUIRE(supply.describe(1));
    CHECK(supply.has_notice());
    const auto notice = supply.receive_notice();
    REQUIRE(notice);
    CHECK(notice->certificates);
    CHECK(notice->tickets);
    CHECK_FALSE(supply.has_notice());
}

TEST_CASE("A notice that comes by itself is received", "[tls][supply]")
{
    auto [ours, theirs] = sys::Channel::pair().value();
    KeySupply supply{std::move(ours)};
    send(theirs, ipc::Changed{true, false});
    const auto notice = supply.receive_notice();
    REQUIRE(notice);
    CHECK(notice->certificates);
    CHECK_FALSE(notice->tickets);
}

TEST_CASE("A keyholder that dies is a reset, whoever waits", "[tls][supply]")
{
    CHECK(fault_of([](sys::Channel& channel, std::span<const std::byte>) { ::shutdown(channel.fd(), SHUT_RDWR); }) ==
          Fault::reset);

    auto [ours, theirs] = sys::Channel::pair().value();
    KeySupply supply{std::move(ours)};
    theirs = sys::Channel{};
    const auto notice = supply.receive_notice();
    REQUIRE_FALSE(notice);
    CHECK(notice.error().fault == Fault::reset);
    const auto described = supply.describe(1);
    REQUIRE_FALSE(described);
    CHECK(described.error().fault == Fault::reset);
}

TEST_CASE("An answer to another question is malformed", "[tls][supply]")
{
    CHECK(fault_of([](sys::Channel& channel, std::span<const std::byte>) { send(channel, ipc::Tickets{}); }) ==
          Fault::malformed);
    CHECK(fault_of([](sys::Channel& channel, std::span<const std::byte>) {
              send(channel, ipc::Certificate{7, 0, {{std::byte{1}}}, {}});
          }) == Fault::malformed);
    CHECK(fault_of([](sys::Channel& channel, std::span<const std::byte>) {
              static_cast<void>(channel.send(std::array{std::byte{99}}));
          }) == Fault::malformed);
}

TEST_CASE("Something else than a notice is not one", "[tls][supply]")
{
    auto [ours, theirs] = sys::Channel::pair().value();
    KeySupply supply{std::move(ours)};
    send(theirs, ipc::Signature{1, {}});
    const auto notice = supply.receive_notice();
    REQUIRE_FALSE(notice);
    CHECK(notice.error().fault == Fault::malformed);
}
