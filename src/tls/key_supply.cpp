#include "sallyport/tls/key_supply.hpp"

#include <utility>

#include <openssl/crypto.h>

#include "sallyport/base/contract.hpp"

namespace sallyport::tls {
namespace {

constexpr std::string_view kDoing = "asking the keyholder for certificates";

/// What comes in may hold keys, so it leaves no trace.
class WipedBuffer {
public:
    WipedBuffer() : bytes_(ipc::kMessageMax) {}
    WipedBuffer(const WipedBuffer&) = delete;
    WipedBuffer& operator=(const WipedBuffer&) = delete;
    ~WipedBuffer() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
    [[nodiscard]] std::span<std::byte> span() { return bytes_; }

private:
    ipc::Bytes bytes_;
};

Result<std::span<const std::byte>> receive(sys::Channel& channel, std::span<std::byte> into)
{
    const Result<sys::Received> received = channel.receive(into);
    if (!received) return std::unexpected{received.error()};
    if (received->size == 0) return fail(Fault::reset, Side::self, kDoing);
    return into.first(received->size);
}

} // namespace

KeySupply::KeySupply(sys::Channel channel) : channel_{std::move(channel)}
{
    SALLYPORT_ASSERT(channel_.set_timeout(kSupplyTimeout).has_value());
}

Result<Credentials> KeySupply::describe(std::uint32_t certificates)
{
    WipedBuffer buffer;
    Credentials credentials;
    for (std::uint32_t index = 0; index < certificates; ++index) {
        Result<ipc::Certificate> answer = ask<ipc::Certificate>(ipc::DescribeCertificate{index}, buffer.span());
        if (!answer) return std::unexpected{answer.error()};
        if (answer->index != index) return fail(Fault::malformed, Side::self, kDoing);
        credentials.certificates.push_back(std::move(*answer));
    }
    Result<ipc::Tickets> tickets = ask<ipc::Tickets>(ipc::DescribeTickets{}, buffer.span());
    if (!tickets) return std::unexpected{tickets.error()};
    credentials.tickets = std::move(tickets->keys);
    return credentials;
}

Result<void> KeySupply::adopt(const std::vector<std::uint32_t>& keys)
{
    std::array<std::byte, 64> buffer;
    const auto noted = ask<ipc::Noted>(ipc::Adopt{keys}, buffer);
    if (!noted) return std::unexpected{noted.error()};
    return {};
}

template <typename Answer, typename Request>
Result<Answer> KeySupply::ask(const Request& request, std::span<std::byte> buffer)
{
    if (const Result<void> sent = channel_.send(ipc::encode(request)); !sent) return std::unexpected{sent.error()};
    for (;;) {
        const Result<std::span<const std::byte>> message = receive(channel_, buffer);
        if (!message) return std::unexpected{message.error()};
        if (std::optional<Answer> answer = ipc::decode<Answer>(*message)) return std::move(*answer);
        const std::optional<ipc::Changed> notice = ipc::decode<ipc::Changed>(*message);
        if (!notice) return fail(Fault::malformed, Side::self, kDoing);
        keep(*notice);
    }
}

void KeySupply::keep(const ipc::Changed& notice)
{
    if (!kept_) kept_.emplace();
    kept_->certificates = kept_->certificates || notice.certificates;
    kept_->tickets = kept_->tickets || notice.tickets;
    kept_->wrong = notice.wrong;
}

Result<ipc::Changed> KeySupply::receive_notice()
{
    if (const std::optional<ipc::Changed> kept = std::exchange(kept_, std::nullopt)) return *kept;
    std::array<std::byte, 64> buffer;
    const Result<std::span<const std::byte>> message = receive(channel_, buffer);
    if (!message) return std::unexpected{message.error()};
    const std::optional<ipc::Changed> notice = ipc::decode<ipc::Changed>(*message);
    if (!notice) return fail(Fault::malformed, Side::self, "reading a notice of the keyholder");
    return *notice;
}

} // namespace sallyport::tls
