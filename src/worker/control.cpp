#include "control.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include <poll.h>

#include "sallyport/ipc/codec.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::worker {

namespace {

std::uint32_t count_certificates(const Settings& settings)
{
    std::uint32_t count = 0;
    for (const ReceivedListener& listener : settings.listeners) {
        for (const std::uint32_t index : listener.settings.tls.certificates)
            count = std::max(count, index + 1);
    }
    return count;
}

tls::Credentials describe_or_refuse(tls::KeySupply& supply, std::uint32_t certificates)
{
    auto described = supply.describe(certificates);
    if (!described) {
        throw StartError{ExitCode::unavailable,
                         "the keyholder does not answer: " + std::string{described.error().doing}};
    }
    return std::move(*described);
}

bool readable(const pollfd& entry)
{
    return (entry.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

} // namespace

Control::Control(sys::Channel& control, Settings settings)
    : gatekeeper_{control},
      settings_{std::move(settings)},
      certificates_{count_certificates(settings_)},
      supply_{std::move(settings_.keys.supply)},
      shards_{settings_, describe_or_refuse(supply_, certificates_)}
{
}

ExitCode Control::obey()
{
    shards_.serve();
    if (!gatekeeper_.send(ipc::encode(ipc::Ready{}))) return stop();
    for (;;) {
        // A negative descriptor is passed over: a dead keyholder's channel is not waited on (poll(2)).
        std::array<pollfd, 3> waits{pollfd{gatekeeper_.fd(), POLLIN, 0},
                                    pollfd{keyholder_lives_ ? supply_.fd() : -1, POLLIN, 0},
                                    pollfd{shards_.ended_fd(), POLLIN, 0}};
        if (::poll(waits.data(), waits.size(), supply_.has_notice() ? 0 : -1) < 0) continue;
        if (readable(waits[2])) break;
        if (readable(waits[0])) {
            if (!hear_gatekeeper()) return stop();
            continue; // it may have replaced what waits[1] tells of
        }
        if (readable(waits[1]) || supply_.has_notice()) hear_keyholder();
    }
    report_end();
    return ExitCode::ok;
}

// False: the gatekeeper is gone or says what it must not.
bool Control::hear_gatekeeper()
{
    ipc::Bytes bytes(ipc::kMessageMax);
    auto received = gatekeeper_.receive(bytes);
    if (!received || received->size == 0) {
        log::error("the gatekeeper is gone");
        return false;
    }
    bytes.resize(received->size);
    if (const auto drain = ipc::decode<ipc::Drain>(bytes)) {
        shards_.drain(drain->timeout_ms);
        return true;
    }
    if (ipc::decode<ipc::KeyChannels>(bytes)) {
        follow_new_keyholder(std::move(received->descriptors));
        return true;
    }
    log::error("the gatekeeper's message is not lawful");
    return false;
}

void Control::hear_keyholder()
{
    const auto notice = supply_.receive_notice();
    if (!notice) return lose_keyholder("it is gone");
    if (notice->certificates)
        use_certificates();
    else
        use_tickets();
}

// Gatekeeper's to mend: it knows whether the keyholder has died, or wants no more of this worker.
void Control::lose_keyholder(std::string_view reason)
{
    if (!keyholder_lives_) return; // said already
    log::warn("the keyholder does not answer; new handshakes wait for another", {{"reason", reason}});
    keyholder_lives_ = false;
    static_cast<void>(gatekeeper_.send(ipc::encode(ipc::KeysLost{introductions_})));
}

void Control::follow_new_keyholder(std::vector<UniqueFd> descriptors)
{
    KeyEnds ends = take_key_ends(std::move(descriptors), settings_.hello.shards);
    supply_ = tls::KeySupply{std::move(ends.supply)};
    keyholder_lives_ = true;
    ++introductions_;
    shards_.replace_sign_channels(std::move(ends.sign));
    use_certificates();
}

void Control::use_certificates()
{
    const auto described = supply_.describe(certificates_);
    if (!described) return lose_keyholder(described.error().doing);
    if (const auto used = shards_.use(*described); !used) {
        log::error("new certificates are refused; the old ones stay", {{"error", used.error()}});
        return;
    }
    log::info("certificates and ticket keys taken over");
}

void Control::use_tickets()
{
    auto described = supply_.describe(0);
    if (!described) return lose_keyholder(described.error().doing);
    shards_.use_tickets(std::make_shared<const tls::Credentials>(std::move(*described)));
    log::info("ticket keys taken over");
}

void Control::report_end()
{
    const ipc::Drained total = shards_.join();
    static_cast<void>(gatekeeper_.send(ipc::encode(total)));
}

// Nobody is left to serve for: what lives is cut.
ExitCode Control::stop()
{
    shards_.drain(0);
    static_cast<void>(shards_.join());
    return ExitCode::unavailable;
}

} // namespace sallyport::worker
