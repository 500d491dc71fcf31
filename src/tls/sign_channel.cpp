// A signature is idempotent, so a request whose answer is lost may be sent again; once, because the next keyholder may
// die of the same request. Answers carry the request's number: one that comes after its time-out is skipped.
#include "sallyport/tls/sign_channel.hpp"

#include <array>
#include <bit>
#include <utility>

#include <sys/socket.h>

#include "sallyport/base/contract.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::tls {
namespace {

constexpr std::string_view kDoing = "asking the keyholder to sign";
/// Room for the signature of an RSA key of 16,384 bits.
constexpr std::size_t kAnswerMax = 2048 + 64;

bool is_lost(const Result<ipc::Bytes>& result)
{
    return !result && result.error().fault != Fault::forbidden;
}

/// Only the shard counts, so this needs no atomic addition.
void add_one(std::atomic<std::uint64_t>& counter)
{
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

} // namespace

SignChannel::SignChannel(sys::Channel channel, SignPatience patience)
    : patience_{patience}, channel_{std::move(channel)}
{
    SALLYPORT_ASSERT(channel_.set_timeout(patience_.answer).has_value());
}

void SignChannel::replace(sys::Channel channel)
{
    const std::scoped_lock lock{mutex_};
    replacement_ = std::move(channel);
    // A signer may still wait on the old one. Its keyholder sees the end and closes; the worker may shut no more.
    if (channel_) ::shutdown(channel_.fd(), SHUT_WR);
    replaced_.notify_one();
}

Result<ipc::Bytes> SignChannel::sign(std::uint32_t key, ipc::SignatureScheme scheme, std::span<const std::byte> text)
{
    ipc::Sign request{++sequence_, key, scheme, {text.begin(), text.end()}};
    take_replacement();
    Result<ipc::Bytes> signature = exchange(request);
    if (is_lost(signature) && wait_for_replacement()) {
        add_one(resent_);
        request.sequence = ++sequence_;
        signature = exchange(request);
    }
    account(signature, request);
    return signature;
}

Result<ipc::Bytes> SignChannel::exchange(const ipc::Sign& request)
{
    if (const Result<void> sent = channel_.send(ipc::encode(request)); !sent) return std::unexpected{sent.error()};
    return receive_signature(request.sequence);
}

Result<ipc::Bytes> SignChannel::receive_signature(std::uint32_t sequence)
{
    for (;;) {
        std::array<std::byte, kAnswerMax> buffer;
        const Result<sys::Received> received = channel_.receive(buffer);
        if (!received) return std::unexpected{received.error()};
        if (received->size == 0) return fail(Fault::reset, Side::self, kDoing);
        std::optional<ipc::Signature> answer = ipc::decode<ipc::Signature>(std::span{buffer}.first(received->size));
        if (!answer) return fail(Fault::malformed, Side::self, kDoing);
        // The difference survives the wrap-around of the numbers.
        const auto age = static_cast<std::int32_t>(sequence - answer->sequence);
        if (age < 0) return fail(Fault::malformed, Side::self, kDoing);
        if (age > 0) continue;
        if (answer->signature.empty()) return fail(Fault::forbidden, Side::self, kDoing);
        return std::move(answer->signature);
    }
}

void SignChannel::take_replacement()
{
    const std::scoped_lock lock{mutex_};
    if (replacement_) adopt_locked();
}

bool SignChannel::wait_for_replacement()
{
    std::unique_lock lock{mutex_};
    const auto limit = suspect_ ? std::chrono::milliseconds{0} : patience_.replacement;
    if (replaced_.wait_for(lock, limit, [this] { return static_cast<bool>(replacement_); })) {
        adopt_locked();
        return true;
    }
    if (!suspect_) suspect(true);
    return false;
}

void SignChannel::adopt_locked()
{
    channel_ = std::move(replacement_);
    suspect(false);
}

void SignChannel::suspect(bool suspected)
{
    suspect_ = suspected;
    SALLYPORT_ASSERT(channel_.set_timeout(suspected ? patience_.suspect : patience_.answer).has_value());
}

void SignChannel::account(const Result<ipc::Bytes>& result, const ipc::Sign& request)
{
    if (result) {
        add_one(made_);
        if (suspect_) suspect(false);
        return;
    }
    const bool refused = result.error().fault == Fault::forbidden;
    std::atomic<std::uint64_t>& counter = refused ? refused_ : failed_;
    add_one(counter);
    // Every handshake may end here, so the log gets the 1st, 2nd, 4th, 8th …
    const std::uint64_t count = counter.load(std::memory_order_relaxed);
    if (!std::has_single_bit(count)) return;
    log::error(refused ? "the keyholder refused to sign" : "the keyholder did not sign",
               {{"key", request.certificate},
                {"scheme", static_cast<std::uint8_t>(request.scheme)},
                {"reason", name(result.error().fault)},
                {"so_far", count}});
}

SignCounts SignChannel::counts() const
{
    return {.made = made_.load(std::memory_order_relaxed),
            .refused = refused_.load(std::memory_order_relaxed),
            .failed = failed_.load(std::memory_order_relaxed),
            .resent = resent_.load(std::memory_order_relaxed)};
}

} // namespace sallyport::tls
