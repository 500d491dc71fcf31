#include "control.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>

#include "sallyport/base/wall_clock.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/log/log.hpp"
#include "trust_advice.hpp"

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

Control::Control(sys::Channel& control, Settings settings, const privsep::Confined& confined)
    : gatekeeper_{control},
      settings_{std::move(settings)},
      certificates_{count_certificates(settings_)},
      supply_{std::move(settings_.keys.supply)},
      page_{settings_.pages.own.bytes()}
{
    const tls::Credentials credentials = describe_first();
    shards_.emplace(settings_, credentials, page_);
    overview_.emplace(settings_, confined, *shards_);
    overview_->show(credentials);
    if (settings_.admin) open_admin();
}

void Control::open_admin()
{
    const ipc::Admin& wanted = settings_.admin->settings;
    admin_.emplace(std::move(settings_.admin->socket),
                   admin::Settings{.checks_peer = wanted.checks_peer,
                                   .uid = wanted.uid,
                                   .timeout = admin::Millis{wanted.timeout_ms},
                                   .connections_max = wanted.connections_max},
                   *overview_);
}

/// Until something is due, in milliseconds, rounded up; -1: nothing is.
int Control::patience() const
{
    if (supply_.has_notice()) return 0;
    const auto due = admin_ ? admin_->due() : std::nullopt;
    if (!due) return -1;
    const auto left = std::chrono::ceil<admin::Millis>(*due - admin::Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

ExitCode Control::obey()
{
    shards_->serve();
    if (!gatekeeper_.send(ipc::encode(ipc::Ready{}))) return stop();
    log_trust_advice(settings_);
    for (;;) {
        // A negative descriptor is passed over: a dead keyholder's channel is not waited on (poll(2)).
        std::vector<pollfd> waits{
            pollfd{gatekeeper_.fd(), POLLIN, 0}, pollfd{keyholder_lives_ ? supply_.fd() : -1, POLLIN, 0},
            pollfd{shards_->ended_fd(), POLLIN, 0}, pollfd{shards_->changeover().fd(), POLLIN, 0}};
        if (admin_) admin_->add_waits(waits);
        if (::poll(waits.data(), waits.size(), patience()) < 0) continue;
        if (readable(waits[2])) break;
        if (admin_) admin_->serve(admin::Clock::now());
        if (readable(waits[0])) {
            if (!hear_gatekeeper()) return stop();
            continue; // it may have replaced what waits[1] tells of
        }
        if (readable(waits[1]) || supply_.has_notice()) hear_keyholder();
        if (readable(waits[3])) go_on_changing();
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
        begin_drain(*drain);
        return true;
    }
    if (ipc::decode<ipc::Unready>(bytes)) {
        overview_->set_draining();
        return true;
    }
    if (ipc::decode<ipc::KeyChannels>(bytes)) {
        follow_new_keyholder(std::move(received->descriptors));
        return true;
    }
    log::error("the gatekeeper's message is not lawful");
    return false;
}

/// A generation that another one has replaced answers no more: the newer one adds its figures to its own.
/// Who has been replaced leaves the endpoint to the one that serves.
void Control::begin_drain(const ipc::Drain& order)
{
    if (!order.replaced)
        overview_->set_draining();
    else if (admin_)
        admin_->stop_accepting();
    shards_->drain(order);
}

void Control::hear_keyholder()
{
    const auto notice = supply_.receive_notice();
    if (!notice) return lose_keyholder("it is gone");
    overview_->set_certificates_wrong(notice->wrong);
    if (notice->certificates || (notice->tickets && shards_->changeover().under_way()))
        use_certificates();
    else if (notice->tickets)
        use_tickets();
}

// Gatekeeper's to mend: it knows whether the keyholder has died, or wants no more of this worker.
void Control::lose_keyholder(std::string_view reason)
{
    if (!keyholder_lives_) return; // said already
    log::warn("the keyholder does not answer; new handshakes wait for another", {{"reason", reason}});
    keyholder_lives_ = false;
    overview_->set_keyholder(false);
    static_cast<void>(gatekeeper_.send(ipc::encode(ipc::KeysLost{introductions_})));
}

void Control::follow_new_keyholder(std::vector<UniqueFd> descriptors)
{
    KeyEnds ends = take_key_ends(std::move(descriptors), settings_.hello.shards);
    supply_ = tls::KeySupply{std::move(ends.supply)};
    keyholder_lives_ = true;
    overview_->set_keyholder(true);
    overview_->set_certificates_wrong(0); // it tells otherwise
    ++introductions_;
    shards_->replace_sign_channels(std::move(ends.sign));
    use_certificates();
}

tls::Credentials Control::describe_first()
{
    auto described = describe_or_refuse(supply_, certificates_);
    adopted_ = described.keys();
    return described;
}

void Control::use_certificates()
{
    again_ = shards_->changeover().under_way();
    if (again_) return;
    auto described = supply_.describe(certificates_);
    if (!described) return lose_keyholder(described.error().doing);
    candidate_.emplace(std::move(*described));
    const auto begun = shards_->use(*candidate_);
    if (begun) return;
    candidate_.reset();
    refuse(begun.error());
}

void Control::go_on_changing()
{
    const auto done = shards_->changeover().go_on();
    if (!done) return;
    if (*done) {
        adopted_ = candidate_->keys();
        page_.worker().rotations.note(true, milliseconds_since_epoch());
        overview_->show(*candidate_);
        overview_->set_refuses_certificates(false);
        log::info("certificates and ticket keys taken over");
        adopt();
    } else {
        refuse(done->error());
    }
    candidate_.reset();
    if (again_) use_certificates();
}

void Control::refuse(const std::string& reason)
{
    overview_->set_refuses_certificates(true);
    page_.worker().rotations.note(false, milliseconds_since_epoch());
    log::error("new certificates are refused; the old ones stay", {{"error", reason}});
    adopt();
}

void Control::adopt()
{
    if (!keyholder_lives_) return; // another one is told when it comes
    if (const auto noted = supply_.adopt(adopted_); !noted) lose_keyholder(noted.error().doing);
}

void Control::use_tickets()
{
    auto described = supply_.describe(0);
    if (!described) return lose_keyholder(described.error().doing);
    shards_->use_tickets(std::make_shared<const tls::Credentials>(std::move(*described)));
    log::info("ticket keys taken over");
}

void Control::report_end()
{
    const ipc::Drained total = shards_->join();
    static_cast<void>(gatekeeper_.send(ipc::encode(total)));
}

// Nobody is left to serve for: what lives is cut.
ExitCode Control::stop()
{
    shards_->drain({.timeout_ms = 1, .replaced = false});
    static_cast<void>(shards_->join());
    return ExitCode::unavailable;
}

} // namespace sallyport::worker
