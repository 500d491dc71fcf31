#include "family.hpp"

#include <algorithm>
#include <utility>

#include "audit_lines.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/privsep/profiles.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "sallyport/sys/seccomp.hpp"

namespace sallyport::gatekeeper {

namespace {

std::string in_words(Millis time)
{
    const auto ms = time.count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

/// A child that never stops talking must not keep us from signals and deadlines.
constexpr int kMessagesPerTurn = 64;

/// What the last worker may have done to the sockets that it shared with us. Returns those that listen.
std::vector<int> mend_listeners(const std::vector<BoundListener>& listeners, const Settings& settings)
{
    std::vector<int> listening;
    for (const BoundListener& listener : listeners) {
        const std::string& bind = settings.listeners.at(listener.listener).bind;
        for (const UniqueFd& socket : listener.sockets) {
            const Result<bool> mended = sys::keep_listening(socket.get());
            if (!mended)
                log::error("listener is lost",
                           {{"bind", bind}, {"reason", mended.error().cause.message()}, {"remedy", "restart"}});
            else if (*mended)
                log::audit("listening again", {{"bind", bind}, {"reason", "a worker had stopped the socket"}});
            if (mended) listening.push_back(socket.get());
        }
    }
    return listening;
}

} // namespace

Family::Family(const std::string& directory, Settings settings, std::vector<BoundListener> listeners, Secrets secrets,
               Patience patience)
    : settings_{std::move(settings)},
      listeners_{std::move(listeners)},
      secrets_{std::move(secrets)},
      patience_{patience},
      keyholder_{.process = child_in(directory, privsep::Process::keyholder)},
      worker_{.process = child_in(directory, privsep::Process::worker)}
{
}

void Family::tend(TimePoint now)
{
    check_deadline(keyholder_, now);
    check_deadline(worker_, now);
    if (wants_keyholder() && now >= keyholder_.deadline) bear_keyholder(now);
    if (wants_worker() && now >= worker_.deadline) bear_worker(now);
}

TimePoint Family::due() const
{
    TimePoint next = TimePoint::max();
    if (keyholder_.phase != Phase::absent || wants_keyholder()) next = std::min(next, keyholder_.deadline);
    if (worker_.phase != Phase::absent || wants_worker()) next = std::min(next, worker_.deadline);
    return next;
}

/// While the worker drains, its last handshakes still need keys.
bool Family::wants_keyholder() const
{
    return keyholder_.phase == Phase::absent && !(draining_ && worker_.phase == Phase::absent);
}

bool Family::wants_worker() const
{
    return worker_.phase == Phase::absent && keyholder_.phase == Phase::serving && !draining_ && !held_;
}

void Family::bear_keyholder(TimePoint now)
{
    if (bear(keyholder_, now)) brief_keyholder(keyholder_.process, settings_, secrets_);
}

void Family::bear_worker(TimePoint now)
{
    if (!bear(worker_, now)) return;
    introductions_ = 0;
    losses_ = 0;
    ready_ = false;
    listening_ = mend_listeners(listeners_, settings_);
    brief_worker(worker_.process, settings_, listeners_);
    introduce_members();
    worker_.process.tell(ipc::Serve{});
}

bool Family::bear(Member& member, TimePoint now)
{
    Child& process = member.process;
    if (const Result<void> born = process.give_birth(now); !born) {
        if (!established_) throw StartError{ExitCode::os_error, birth_refused(process, born.error())};
        log::error("child not started", {{"child", process.name()}, {"reason", birth_refused(process, born.error())}});
        process.kill();
        process.bury();
        rest(member, now);
        return false;
    }
    member.phase = Phase::starting;
    member.heard_out = false;
    member.deadline = now + patience_.start;
    log::audit("child started", {{"child", process.name()}, {"pid", process.pid()}, {"child_chain", process.chain()}});
    return true;
}

void Family::introduce_members()
{
    if (const auto introduced = introduce(keyholder_.process, worker_.process, settings_.hello.shards); !introduced) {
        log::error("no key channels", {{"reason", introduced.error().cause.message()}});
        return kill(worker_, "it has no way to its keys");
    }
    ++introductions_;
    keyless_ = false;
    expect_nothing(worker_);
}

void Family::check_deadline(Member& member, TimePoint now)
{
    if (now < member.deadline) return;
    const std::string name{member.process.name()};
    if (member.phase == Phase::starting && !established_)
        throw StartError{ExitCode::software, "the " + name + " did not answer within " + in_words(patience_.start)};
    if (member.phase == Phase::starting) kill(member, "it did not answer in time");
    if (member.phase == Phase::serving)
        kill(member, &member == &worker_ ? "the keyholder wants no more of it" : "it did not answer in time");
    if (member.phase == Phase::leaving) kill(member, "it did not end in time");
}

void Family::kill(Member& member, std::string_view reason)
{
    log::audit("child killed", {{"child", member.process.name()}, {"pid", member.process.pid()}, {"reason", reason}});
    member.process.kill();
    member.phase = Phase::leaving;
    if (&member == &keyholder_) expect_nothing(worker_);
    member.deadline = TimePoint::max();
}

/// A child ends when its control channel does.
void Family::send_away(Member& member, TimePoint now)
{
    if (member.phase == Phase::absent) return;
    member.process.dismiss();
    member.phase = Phase::leaving;
    if (&member == &keyholder_) expect_nothing(worker_);
    member.deadline = now + patience_.grace;
}

void Family::bury(pid_t pid, int status, TimePoint now)
{
    for (Member* member : {&keyholder_, &worker_}) {
        if (!member->process.alive() || member->process.pid() != pid) continue;
        member->process.bury();
        hear(*member, now); // its last words explain more than its exit code
        mourn(*member, how_it_died(status), now);
    }
}

void Family::mourn(Member& member, const std::string& how, TimePoint now)
{
    Child& process = member.process;
    if (!established_)
        throw StartError{ExitCode::software, "the " + std::string{process.name()} + " died while starting: " + how};
    const Millis wait = rest(member, now);
    if (draining_)
        log::info("child ended", {{"child", process.name()}, {"pid", process.pid()}, {"how", how}});
    else
        log::audit("child died",
                   {{"child", process.name()}, {"pid", process.pid()}, {"how", how}, {"another_in_ms", wait.count()}});
    if (draining_ && &member == &worker_) send_away(keyholder_, now);
    if (&member == &keyholder_) expect_nothing(worker_);
}

/// Until it may be born again.
Millis Family::rest(Member& member, TimePoint now)
{
    const auto lived = std::chrono::duration_cast<Millis>(now - member.process.born());
    const Millis wait = member.backoff.after(lived);
    member.process.dismiss();
    member.phase = Phase::absent;
    member.deadline = now + wait;
    return wait;
}

void Family::listen(TimePoint now)
{
    hear(keyholder_, now);
    hear(worker_, now);
}

void Family::hear(Member& member, TimePoint now)
{
    if (member.heard_out) return;
    for (int taken = 0; taken < kMessagesPerTurn; ++taken) {
        const auto message = member.process.heard();
        if (!message) break;
        if (const auto trapped = ipc::decode<ipc::Trapped>(*message)) {
            note_trap(member, *trapped, now);
            return;
        }
        const bool lawful = &member == &keyholder_ ? hear_keyholder(*message, now) : hear_worker(*message, now);
        if (!lawful) kill(member, "it said what no child says");
    }
    const bool silent = member.process.alive() && member.process.channel() < 0;
    if (silent && member.phase != Phase::leaving) send_away(member, now);
}

/// Its filter has stopped a child: the last word before it dies. Its own log lines may be lost with it.
void Family::note_trap(Member& member, const ipc::Trapped& trapped, TimePoint now)
{
    log::audit("system call refused", {{"child", member.process.name()},
                                       {"pid", member.process.pid()},
                                       {"call", sys::call_name(trapped.call)},
                                       {"number", trapped.call}});
    // Who says more lies. Its channel stays open, so that it dies of the trap and not of the channel's end.
    member.heard_out = true;
    member.phase = Phase::leaving;
    member.deadline = now + patience_.grace;
}

bool Family::hear_keyholder(std::span<const std::byte> message, TimePoint now)
{
    if (const auto loaded = ipc::decode<ipc::Loaded>(message)) return keyholder_loaded(*loaded);
    if (const auto failure = ipc::decode<ipc::Failed>(message)) return failed(keyholder_, *failure, now);
    return false;
}

bool Family::hear_worker(std::span<const std::byte> message, TimePoint now)
{
    if (ipc::decode<ipc::Ready>(message)) return worker_ready();
    if (const auto lost = ipc::decode<ipc::KeysLost>(message)) return worker_lost_its_keys(*lost, now);
    if (const auto drained = ipc::decode<ipc::Drained>(message)) return worker_drained(*drained, now);
    if (const auto failure = ipc::decode<ipc::Failed>(message)) return failed(worker_, *failure, now);
    return false;
}

bool Family::keyholder_loaded(const ipc::Loaded& loaded)
{
    write_loaded(loaded);
    const bool first = keyholder_.phase == Phase::starting; // else an answer to `reload`
    if (!first && keyholder_.phase != Phase::serving) return false;
    keyholder_.phase = Phase::serving;
    expect_nothing(keyholder_);
    if (worker_.process.channel() >= 0 && (first || keyless_)) introduce_members();
    return true;
}

bool Family::worker_ready()
{
    if (std::exchange(ready_, true)) return false;
    log::info("serving", {{"worker", worker_.process.pid()},
                          {"keyholder", keyholder_.process.pid()},
                          {"shards", settings_.hello.shards},
                          {"listeners", listeners_.size()}});
    established_ = true;
    if (worker_.phase != Phase::starting) return draining_; // it was told so meanwhile
    worker_.phase = Phase::serving;
    expect_nothing(worker_);
    return true;
}

/// If the keyholder has died, its death is told next, and a new one is introduced to this worker.
bool Family::worker_lost_its_keys(const ipc::KeysLost& lost, TimePoint now)
{
    if (lost.introductions <= losses_ || lost.introductions > introductions_) return false;
    losses_ = lost.introductions;
    if (lost.introductions < introductions_) return true; // a newer one is on its way
    keyless_ = true;
    const bool loads = keyholder_.deadline != TimePoint::max(); // it answers nobody meanwhile
    if (worker_.phase == Phase::serving && keyholder_.phase == Phase::serving && !loads)
        worker_.deadline = now + patience_.keyless;
    return true;
}

void Family::expect_nothing(Member& member)
{
    if (member.phase == Phase::serving) member.deadline = TimePoint::max();
}

bool Family::worker_drained(const ipc::Drained& drained, TimePoint now)
{
    if (!draining_ || drained_) return false;
    drained_ = drained;
    worker_.deadline = now + patience_.grace;
    return true;
}

bool Family::failed(Member& member, const ipc::Failed& failure, TimePoint now)
{
    if (!established_) throw StartError{exit_code_of(failure), failure.text};
    if (&member == &keyholder_ && member.phase == Phase::serving) {
        expect_nothing(keyholder_);
        if (keyless_) introduce_members();
        log::error("certificates not reloaded", {{"reason", failure.text}, {"in_force", "the old ones"}});
        return true;
    }
    log::error("child failed", {{"child", member.process.name()}, {"reason", failure.text}});
    send_away(member, now);
    return true;
}

void Family::check_listeners()
{
    const bool stopped = std::ranges::any_of(listening_, [](int fd) { return sys::is_listening(fd) == false; });
    listening_.clear(); // until another worker is born: the poll would return at once
    if (stopped && worker_.phase == Phase::serving) kill(worker_, "it has stopped a listening socket");
}

void Family::reload(TimePoint now)
{
    if (keyholder_.phase != Phase::serving) {
        log::info("certificates are being read already");
        return;
    }
    log::info("reading the certificates again");
    keyholder_.process.tell(ipc::Load{});
    keyholder_.deadline = now + patience_.start;
}

void Family::drain(TimePoint now)
{
    if (wants_worker()) bear_worker(now); // between two lives: somebody has to serve who is queued
    draining_ = true;
    listening_.clear();
    listeners_.clear(); // the port is refused as soon as the worker closes its copies too
    if (worker_.phase == Phase::absent) {
        drained_ = ipc::Drained{};
        send_away(keyholder_, now);
    } else if (worker_.phase != Phase::leaving) {
        worker_.process.tell(ipc::Drain{.timeout_ms = settings_.drain_ms});
        worker_.phase = Phase::leaving;
        worker_.deadline = now + Millis{settings_.drain_ms} + patience_.grace;
    }
}

bool Family::gone() const
{
    return draining_ && !worker_.process.alive() && !keyholder_.process.alive();
}

} // namespace sallyport::gatekeeper
