#include "served_worker.hpp"

#include <array>

#include <string.h>
#include <sys/socket.h>

#include "sallyport/log/log.hpp"
#include "sallyport/sys/process.hpp"

namespace sallyport::keyholder {

namespace {

enum class Outcome : std::uint8_t { answered, idle, ended, unlawful };

/// The channel's first broken rule is its last message.
Outcome refuse(std::string_view reason)
{
    log::audit("unlawful request, the worker loses its channels", {{"reason", reason}});
    return Outcome::unlawful;
}

Outcome after_error(const Error& error)
{
    if (error.fault == Fault::over_limit) return refuse("a request above its size limit");
    return error.fault == Fault::timeout ? Outcome::idle : Outcome::ended;
}

/// Receive, check, answer.
Outcome answer_one(ChannelKind kind, Desk& desk, sys::Channel& channel)
{
    std::array<std::byte, kRequestRoom> room;
    const Result<sys::Received> received = channel.receive(room);
    if (!received) return after_error(received.error());
    if (received->size == 0) return Outcome::ended;
    if (!received->descriptors.empty()) return refuse("a request with descriptors");

    auto answered = answer(kind, desk, std::span{room}.first(received->size));
    if (!answered) return refuse(answered.error());
    const Result<void> sent = channel.send(*answered);
    explicit_bzero(answered->data(), answered->size());
    if (sent) return Outcome::answered;
    return sent.error().fault == Fault::timeout ? refuse("answers are not read") : Outcome::ended;
}

bool goes_on(Outcome outcome)
{
    return outcome == Outcome::answered || outcome == Outcome::idle;
}

void end(const sys::Channel& channel) noexcept
{
    shutdown(channel.fd(), SHUT_RDWR);
}

/// Receiving and sending have time-outs of their own (socket(7)), which Channel sets together.
void limit_waits(sys::Channel& channel, std::chrono::milliseconds receive, std::chrono::milliseconds send)
{
    const auto to_timeval = [](std::chrono::milliseconds time) {
        return timeval{.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
    };
    const timeval receive_limit = to_timeval(receive);
    const timeval send_limit = to_timeval(send);
    setsockopt(channel.fd(), SOL_SOCKET, SO_RCVTIMEO, &receive_limit, sizeof receive_limit);
    setsockopt(channel.fd(), SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof send_limit);
}

} // namespace

std::unique_ptr<ServedWorker> ServedWorker::start(const Vault& vault, std::vector<UniqueFd> channels)
{
    std::unique_ptr<ServedWorker> worker{new ServedWorker{vault, std::move(channels)}};
    for (sys::Channel& channel : worker->sign_)
        worker->threads_.emplace_back([w = worker.get(), &channel] { w->serve_sign(channel); });
    return worker;
}

ServedWorker::ServedWorker(const Vault& vault, std::vector<UniqueFd> channels)
    : desk_{vault}, supply_{std::move(channels.front())}
{
    limit_waits(supply_, kAnswerTimeout, kAnswerTimeout);
    for (std::size_t i = 1; i < channels.size(); ++i)
        limit_waits(sign_.emplace_back(std::move(channels[i])), kIdleLook, kAnswerTimeout);
}

ServedWorker::~ServedWorker()
{
    end_channels();
}

bool ServedWorker::answer_supply()
{
    return goes_on(answer_one(ChannelKind::supply, desk_, supply_));
}

bool ServedWorker::notify(const ipc::Changed& changed)
{
    return supply_.send(ipc::encode(changed)).has_value();
}

void ServedWorker::serve_sign(sys::Channel& channel)
{
    sys::name_thread("sign");
    Desk desk{desk_.vault};
    Outcome outcome = Outcome::answered;
    while (goes_on(outcome)) {
        outcome = answer_one(ChannelKind::sign, desk, channel);
        if (outcome == Outcome::idle) desk.signer.refresh();
    }
    if (outcome == Outcome::unlawful)
        end_channels();
    else
        end(channel);
}

void ServedWorker::end_channels() noexcept
{
    end(supply_);
    for (const sys::Channel& channel : sign_)
        end(channel);
}

} // namespace sallyport::keyholder
