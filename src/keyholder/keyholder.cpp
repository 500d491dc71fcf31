#include "sallyport/keyholder/keyholder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <poll.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/base/text.hpp"
#include "sallyport/ipc/authority.hpp"
#include "sallyport/log/log.hpp"

#include "authority.hpp"
#include "key_store.hpp"
#include "rate_limit.hpp"
#include "rotation.hpp"
#include "rules.hpp"
#include "secure_memory.hpp"
#include "served_worker.hpp"
#include "source_places.hpp"
#include "tickets.hpp"
#include "wrong_sources.hpp"

namespace sallyport::keyholder {

namespace {

/// Sleeping ends at the latest so, because the clock may be set.
constexpr std::int64_t kSleepMax = 60;
constexpr std::int64_t kRenewalRetry = 3600;
/// Generations of workers that may drain at the same time.
constexpr std::size_t kWorkersMax = 64;
/// What else there is in the heap but keys, when nobody knows the number of workers: two generations' threads.
constexpr std::size_t kGenerations = 2;

[[noreturn]] void broken(const std::string& what)
{
    throw StartError{ExitCode::software, "the gatekeeper broke the protocol: " + what};
}

class Keyholder {
public:
    Keyholder(sys::Channel control, const ipc::Hello& hello, BeforeKeys before_keys, Clock clock)
        : control_{std::move(control)},
          before_keys_{std::move(before_keys)},
          shards_{hello.shards},
          check_every_{hello.certificate_check_ms},
          message_(ipc::kMessageMax)
    {
        vault_.key_place = hello.key_place;
        vault_.clock = std::move(clock);
        ticket_epoch_ = ticket_epoch(vault_.clock());
    }

    void serve()
    {
        while (serve_once())
            keep_time();
    }

private:
    [[nodiscard]] bool serve_once();
    [[nodiscard]] bool obey();
    void obey(std::span<const std::byte> message, std::vector<UniqueFd> descriptors);
    void take_source(std::span<const std::byte> message, std::vector<UniqueFd> descriptors);
    void take_tickets(std::vector<UniqueFd> descriptors);
    void take_worker(std::vector<UniqueFd> descriptors);
    void load();
    void make_authority(std::span<const std::byte> message, const std::vector<UniqueFd>& descriptors);
    void announce_keys();
    [[nodiscard]] std::vector<Problem> prepare();
    void put_in_force(KeySet keys);
    void keep_time();
    void renew_self_signed(std::int64_t now);
    void rotate();
    void tell_rotated(std::size_t index, const KeyPair& pair);
    void warn_if_early(std::size_t index, const KeyPair& pair);
    void tell_refused(std::size_t index, const std::string& reason);
    void forget_unused_keys();
    void notify(ipc::Changed changed);
    [[nodiscard]] int sleep_ms() const;
    template <typename Message>
    void tell(const Message& message);

    sys::Channel control_;
    BeforeKeys before_keys_;
    std::uint16_t shards_;
    std::chrono::milliseconds check_every_;
    ipc::Bytes message_;
    std::vector<Source> sources_;
    UniqueFd ticket_file_;
    bool prepared_{false};
    bool memory_locked_{false};
    std::int64_t ticket_epoch_{0};
    std::int64_t renewal_{std::numeric_limits<std::int64_t>::max()};
    std::optional<Rotation> rotation_; ///< once the sources are known
    WrongSources wrong_;
    std::uint32_t told_wrong_{0};
    std::uint64_t rotations_count_{0};
    std::uint64_t refusals_count_{0};
    RateLimit refusals_;
    Vault vault_;
    std::vector<std::unique_ptr<ServedWorker>> workers_; ///< after the vault, which they borrow
};

/// Waits for the gatekeeper, the workers or the time. False: the gatekeeper is gone.
bool Keyholder::serve_once()
{
    std::vector<pollfd> watched{{.fd = control_.fd(), .events = POLLIN, .revents = 0}};
    for (const auto& worker : workers_)
        watched.push_back({.fd = worker->fd(), .events = POLLIN, .revents = 0});
    watched.push_back({.fd = rotation_ ? rotation_->fd() : -1, .events = POLLIN, .revents = 0});
    if (poll(watched.data(), watched.size(), sleep_ms()) < 0 && errno != EINTR)
        throw StartError{ExitCode::os_error, "poll: " + std::system_category().message(errno)};

    std::vector<ServedWorker*> gone;
    for (std::size_t i = 1; i + 1 < watched.size(); ++i)
        if (watched[i].revents != 0 && !workers_[i - 1]->answer_supply()) gone.push_back(workers_[i - 1].get());
    std::erase_if(workers_, [&](const auto& worker) { return std::ranges::find(gone, worker.get()) != gone.end(); });
    if (watched.back().revents != 0) rotation_->heed();
    return watched.front().revents == 0 || obey();
}

bool Keyholder::obey()
{
    Result<sys::Received> received = control_.receive(message_);
    if (!received && received.error().fault != Fault::reset) broken("a message that cannot be received");
    if (!received || received->size == 0) return false;
    obey(std::span{message_}.first(received->size), std::move(received->descriptors));
    return true;
}

void Keyholder::obey(std::span<const std::byte> message, std::vector<UniqueFd> descriptors)
{
    switch (ipc::kind_of<ipc::Control>(message).value_or(ipc::Control{})) {
    case ipc::Control::certificate_source:
        return take_source(message, std::move(descriptors));
    case ipc::Control::ticket_secret:
        return take_tickets(std::move(descriptors));
    case ipc::Control::load:
        return load();
    case ipc::Control::worker_channels:
        return take_worker(std::move(descriptors));
    case ipc::Control::make_authority:
        return make_authority(message, descriptors);
    default:
        broken("a message that is not for the keyholder");
    }
}

void Keyholder::take_source(std::span<const std::byte> message, std::vector<UniqueFd> descriptors)
{
    auto description = ipc::decode<ipc::CertificateSource>(message);
    if (!description || rotation_) broken("a certificate source that is malformed or too late");
    Source& source = sources_.emplace_back(*std::move(description));
    auto next = descriptors.begin();
    for (const auto& [text, file] : {std::pair{&source.description.certificate, &source.certificate},
                                     std::pair{&source.description.key, &source.key},
                                     std::pair{&source.description.passphrase, &source.passphrase}}) {
        if (!text->travels) continue;
        if (next == descriptors.end()) broken("a certificate source without its descriptors");
        *file = std::move(*next++);
    }
    if (next != descriptors.end()) broken("a certificate source with a descriptor of no text");
}

void Keyholder::take_tickets(std::vector<UniqueFd> descriptors)
{
    if (descriptors.size() != 1 || prepared_) broken("a ticket secret without its file, or too late");
    ticket_file_ = std::move(descriptors.front());
}

void Keyholder::take_worker(std::vector<UniqueFd> descriptors)
{
    if (descriptors.size() < 2 || !vault_.keys.sets()->current) broken("a worker without channels, or before its keys");
    if (workers_.size() == kWorkersMax) return log::error("too many workers, the new one gets no keys");
    try {
        workers_.push_back(ServedWorker::start(vault_, std::move(descriptors)));
        if (wrong_.count() != 0) static_cast<void>(workers_.back()->notify({.wrong = wrong_.count()}));
    } catch (const std::system_error& error) {
        // The worker sees its channels end, and the gatekeeper the worker.
        log::error("no thread for a worker's sign channel", {{"cause", error.what()}});
    }
}

void Keyholder::load()
{
    std::vector<Problem> problems = prepared_ ? std::vector<Problem>{} : prepare();
    if (!problems.empty()) return tell(to_failed(problems));
    const auto previous = vault_.keys.sets()->current;
    const std::int64_t now = vault_.clock();
    auto keys = load_all(sources_, previous.get(), now);
    if (!keys) {
        wrong_.note_failed_load(keys.error());
        return tell(to_failed(keys.error()));
    }
    const auto refused = previous ? keep_valid(sources_, *keys, *previous, now) : std::vector<Refusal>{};
    wrong_.note_load(refused);
    tell(to_loaded(sources_, *keys, memory_locked_));
    for (std::size_t i = 0; i < keys->size(); ++i)
        warn_if_early(i, *(*keys)[i]);
    put_in_force(*std::move(keys));
    for (const auto& [index, reason] : refused)
        tell_refused(index, reason);
}

/// All that this keyholder is for: a developer's command has started it.
void Keyholder::make_authority(std::span<const std::byte> message, const std::vector<UniqueFd>& descriptors)
{
    const auto order = ipc::decode<ipc::MakeAuthority>(message);
    if (!order || descriptors.size() != 2 || rotation_ || !sources_.empty())
        broken("an authority's order that is malformed or out of place");
    announce_keys();
    static_cast<void>(open_secure_heap(secure_heap_size(1, 0)));
    const auto made =
        keyholder::make_authority(order->name, descriptors[0].get(), descriptors[1].get(), vault_.clock());
    if (!made) return tell(to_failed({made.error()}));
    tell(ipc::AuthorityMade{});
}

void Keyholder::announce_keys()
{
    const BeforeKeys once = std::exchange(before_keys_, {});
    if (!once) return;
    try {
        once(places_of(sources_));
    } catch (const StartError& error) {
        tell(ipc::Failed{static_cast<std::uint8_t>(error.code()), error.what()});
        throw;
    }
}

/// Before the first key: what depends on how many there will be.
std::vector<Problem> Keyholder::prepare()
{
    if (!ticket_file_) broken("no ticket secret");
    if (!rotation_) rotation_.emplace(sources_, check_every_);
    announce_keys();
    memory_locked_ = open_secure_heap(secure_heap_size(sources_.size(), kGenerations * shards_));
    if (!memory_locked_)
        log::warn("the memory for private keys is not locked, it may be swapped out", {{"limit", "RLIMIT_MEMLOCK"}});
    auto secret = take_ticket_secret(ticket_file_.get());
    if (!secret) return {std::move(secret.error())};
    vault_.ticket_secret = *std::move(secret);
    prepared_ = true;
    return {};
}

void Keyholder::put_in_force(KeySet keys)
{
    const bool first = !vault_.keys.sets()->current;
    renewal_ = renewal_due(sources_, keys);
    vault_.keys.replace(std::make_shared<const KeySet>(std::move(keys)), vault_.clock());
    if (!first) notify({.certificates = true, .tickets = false});
}

void Keyholder::keep_time()
{
    const std::int64_t now = vault_.clock();
    forget_unused_keys();
    if (now >= renewal_) renew_self_signed(now);
    rotate();
    if (told_wrong_ != wrong_.count()) notify({});
    if (ticket_epoch(now) == ticket_epoch_) return;
    ticket_epoch_ = ticket_epoch(now);
    notify({.certificates = false, .tickets = true});
}

void Keyholder::renew_self_signed(std::int64_t now)
{
    auto keys = renew(sources_, *vault_.keys.sets()->current, now);
    if (keys) {
        put_in_force(*std::move(keys));
        return log::audit("self-signed certificate renewed", {{"next", renewal_}});
    }
    renewal_ = now + kRenewalRetry;
    log::error("self-signed certificate not renewed, the old one stays", {{"cause", keys.error().text}});
}

/// Those that are good; each of the others stays as it was.
void Keyholder::rotate()
{
    const auto in_force = vault_.keys.sets()->current;
    const auto at = std::chrono::steady_clock::now();
    if (!in_force || at < rotation_->due()) return;
    const Findings findings = rotation_->look(*in_force, vault_.clock(), at);
    if (const auto problem = rotation_->take_problem())
        log::warn("certificate files are looked at from time to time only",
                  {{"reason", *problem}, {"every_ms", check_every_.count()}});
    for (const std::size_t index : wrong_.note_look(findings))
        log::info("certificate files are those in force again", {{"certificate", sources_[index].description.label}});
    KeySet keys = *in_force;
    for (const auto& [index, pair] : findings.fresh) {
        keys[index] = pair;
        tell_rotated(index, *pair);
    }
    for (const auto& [index, reason] : findings.refused)
        tell_refused(index, reason);
    if (!findings.fresh.empty()) put_in_force(std::move(keys));
}

void Keyholder::tell_rotated(std::size_t index, const KeyPair& pair)
{
    const ipc::LoadedPair told = report(sources_[index], pair);
    log::audit("certificate rotated", {{"certificate", told.label},
                                       {"key_from", told.key_from},
                                       {"key", told.key_type},
                                       {"spki_sha256", told.spki_sha256},
                                       {"names", joined(told.names)},
                                       {"not_before", utc_text(pair.facts.not_before)},
                                       {"not_after", utc_text(told.not_after)},
                                       {"rotations", ++rotations_count_}});
    warn_if_early(index, pair);
}

/// There was no better one.
void Keyholder::warn_if_early(std::size_t index, const KeyPair& pair)
{
    if (pair.facts.not_before > vault_.clock())
        log::warn("certificate is not valid yet", {{"certificate", sources_[index].description.label},
                                                   {"not_before", utc_text(pair.facts.not_before)}});
}

void Keyholder::tell_refused(std::size_t index, const std::string& reason)
{
    tell(ipc::NotRotated{++refusals_count_});
    const auto suppressed = refusals_.admit(vault_.clock());
    if (!suppressed) return;
    const KeyPair& in_force = *(*vault_.keys.sets()->current)[index];
    log::error("certificate not rotated, the old one stays", {{"certificate", sources_[index].description.label},
                                                              {"reason", reason},
                                                              {"in_force_until", utc_text(in_force.facts.not_after)},
                                                              {"refusals", refusals_count_},
                                                              {"suppressed", *suppressed}});
}

void Keyholder::forget_unused_keys()
{
    std::vector<std::uint32_t> in_use;
    for (const auto& worker : workers_)
        in_use.insert(in_use.end(), worker->claimed_keys().begin(), worker->claimed_keys().end());
    vault_.keys.forget_replaced(in_use, vault_.clock());
}

/// A worker that takes no notice is gone: its supply channel shows it to the loop.
void Keyholder::notify(ipc::Changed changed)
{
    changed.wrong = told_wrong_ = wrong_.count();
    std::erase_if(workers_, [&](const auto& worker) { return !worker->notify(changed); });
}

int Keyholder::sleep_ms() const
{
    using namespace std::chrono;
    const std::int64_t next_epoch = (ticket_epoch_ + 1) * kTicketEpoch;
    const std::int64_t next = std::min({next_epoch, renewal_, vault_.keys.forgets_at()});
    const std::int64_t sleep = std::clamp<std::int64_t>(next - vault_.clock(), 0, kSleepMax) * 1000;
    if (!rotation_ || !vault_.keys.sets()->current) return static_cast<int>(sleep);
    const auto look = ceil<milliseconds>(rotation_->due() - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(look, 0, sleep));
}

template <typename Message>
void Keyholder::tell(const Message& message)
{
    // Without a gatekeeper the next receive ends us.
    static_cast<void>(control_.send(ipc::encode(message)));
}

} // namespace

std::int64_t now()
{
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

void serve(sys::Channel control, const ipc::Hello& hello, BeforeKeys before_keys, std::function<std::int64_t()> clock)
{
    Keyholder{std::move(control), hello, std::move(before_keys), std::move(clock)}.serve();
}

} // namespace sallyport::keyholder
