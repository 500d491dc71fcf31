#include "generation.hpp"

#include <algorithm>
#include <utility>

#include "audit_lines.hpp"
#include "mend_listeners.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/base/wall_clock.hpp"
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

/// Who waits for the apps keeps everybody out, so that is for a start only: a later worker lets clients in at once, and
/// is not ready until the apps have been met, unless they have.
std::uint32_t wait_for_apps_ms(std::uint32_t configured, const metrics::Sum& so_far)
{
    if (so_far.shards.met_apps.read() > 0) return 0;
    return so_far.shards.let_in.read() > 0 ? std::min(configured, 1U) : configured;
}

} // namespace

Generation::Generation(unsigned number, const std::string& directory, GenerationPlan plan, const Secrets& secrets,
                       FigureBook& figures, Patience patience)
    : number_{number},
      settings_{std::move(plan.settings)},
      listeners_{std::move(plan.listeners)},
      secrets_{secrets},
      figures_{figures},
      patience_{patience},
      keyholder_{.process = child_in(directory, privsep::Process::keyholder)},
      worker_{.process = child_in(directory, privsep::Process::worker)}
{
}

Generation::~Generation()
{
    worker_.process.end();
    figures_.close(page_);
}

void Generation::tend(TimePoint now)
{
    check_deadline(keyholder_, now);
    check_deadline(worker_, now);
    if (wants_keyholder() && now >= keyholder_.deadline) bear_keyholder(now);
    if (wants_worker() && now >= worker_.deadline) bear_worker(now);
}

TimePoint Generation::due() const
{
    TimePoint next = TimePoint::max();
    if (keyholder_.phase != Phase::absent || wants_keyholder()) next = std::min(next, keyholder_.deadline);
    if (worker_.phase != Phase::absent || wants_worker()) next = std::min(next, worker_.deadline);
    return next;
}

/// While the worker drains, its last handshakes still need keys.
bool Generation::wants_keyholder() const
{
    return keyholder_.phase == Phase::absent && !(draining_ && worker_.phase == Phase::absent);
}

bool Generation::wants_worker() const
{
    return worker_.phase == Phase::absent && keyholder_.phase == Phase::serving && !draining_ && !held_;
}

void Generation::bear_keyholder(TimePoint now)
{
    if (bear(keyholder_, now)) brief_keyholder(keyholder_.process, settings_, secrets_);
}

void Generation::bear_worker(TimePoint now)
{
    if (!bear(worker_, now)) return;
    introductions_ = 0;
    losses_ = 0;
    ready_ = false;
    listening_ = mend_listeners(listeners_, settings_);
    if (settings_.admin) static_cast<void>(sys::keep_listening(settings_.admin_fd)); // a captured one may have ended it
    if (const auto page = figures_.open(settings_.hello.shards)) {
        page_ = *page;
    } else {
        log::error("no page for figures", {{"reason", page.error().cause.message()}});
        return kill(worker_, "it has nowhere to count");
    }
    settings_.hello.wait_for_upstream_ms = wait_for_apps_ms(settings_.hello.wait_for_upstream_ms, figures_.sum());
    brief_worker(worker_.process, settings_, {number_, figures_.descriptors(page_)}, listeners_);
    introduce_members();
    worker_.process.tell(ipc::Serve{});
    if (unready_) worker_.process.tell(ipc::Unready{});
}

bool Generation::bear(Member& member, TimePoint now)
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
    (&member == &worker_ ? house().workers_born : house().keyholders_born).add();
    log::audit(
        "child started",
        {{"child", process.name()}, {"pid", process.pid()}, {"generation", number_}, {"child_chain", process.chain()}});
    return true;
}

void Generation::introduce_members()
{
    if (const auto introduced = introduce(keyholder_.process, worker_.process, settings_.hello.shards); !introduced) {
        log::error("no key channels", {{"reason", introduced.error().cause.message()}});
        return kill(worker_, "it has no way to its keys");
    }
    ++introductions_;
    keyless_ = false;
    expect_nothing(worker_);
}

void Generation::check_deadline(Member& member, TimePoint now)
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

void Generation::kill(Member& member, std::string_view reason)
{
    log::audit("child killed", {{"child", member.process.name()}, {"pid", member.process.pid()}, {"reason", reason}});
    member.process.kill();
    member.phase = Phase::leaving;
    if (&member == &keyholder_) expect_nothing(worker_);
    member.deadline = TimePoint::max();
}

/// A child ends when its control channel does.
void Generation::send_away(Member& member, TimePoint now)
{
    if (member.phase == Phase::absent) return;
    member.process.dismiss();
    member.phase = Phase::leaving;
    if (&member == &keyholder_) expect_nothing(worker_);
    member.deadline = now + patience_.grace;
}

void Generation::bury(pid_t pid, int status, TimePoint now)
{
    for (Member* member : {&keyholder_, &worker_}) {
        if (!member->process.alive() || member->process.pid() != pid) continue;
        member->process.bury();
        hear(*member, now); // its last words explain more than its exit code
        mourn(*member, how_it_died(status), now);
    }
}

void Generation::mourn(Member& member, const std::string& how, TimePoint now)
{
    Child& process = member.process;
    if (&member == &worker_) figures_.close(page_);
    if (!established_)
        throw StartError{ExitCode::software, "the " + std::string{process.name()} + " died while starting: " + how};
    const Millis wait = rest(member, now);
    if (!draining_) (&member == &worker_ ? house().workers_died : house().keyholders_died).add();
    const bool dies_early = draining_ && &member == &worker_ && !drained_;
    if (dies_early)
        log::audit("child died", {{"child", process.name()}, {"pid", process.pid()}, {"how", how}});
    else if (draining_)
        log::info("child ended", {{"child", process.name()}, {"pid", process.pid()}, {"how", how}});
    else
        log::audit("child died",
                   {{"child", process.name()}, {"pid", process.pid()}, {"how", how}, {"another_in_ms", wait.count()}});
    if (draining_ && &member == &worker_) send_away(keyholder_, now);
    if (&member == &keyholder_) expect_nothing(worker_);
}

/// Until it may be born again.
Millis Generation::rest(Member& member, TimePoint now)
{
    const auto lived = std::chrono::duration_cast<Millis>(now - member.process.born());
    const Millis wait = member.backoff.after(lived);
    member.process.dismiss();
    member.phase = Phase::absent;
    member.deadline = now + wait;
    return wait;
}

void Generation::listen(TimePoint now)
{
    hear(keyholder_, now);
    hear(worker_, now);
}

void Generation::hear(Member& member, TimePoint now)
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
void Generation::note_trap(Member& member, const ipc::Trapped& trapped, TimePoint now)
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

bool Generation::hear_keyholder(std::span<const std::byte> message, TimePoint now)
{
    if (const auto loaded = ipc::decode<ipc::Loaded>(message)) return keyholder_loaded(*loaded);
    if (const auto failure = ipc::decode<ipc::Failed>(message)) return failed(keyholder_, *failure, now);
    if (ipc::decode<ipc::NotRotated>(message)) return certificate_refused();
    return false;
}

bool Generation::hear_worker(std::span<const std::byte> message, TimePoint now)
{
    if (ipc::decode<ipc::Ready>(message)) return worker_ready();
    if (const auto lost = ipc::decode<ipc::KeysLost>(message)) return worker_lost_its_keys(*lost, now);
    if (const auto drained = ipc::decode<ipc::Drained>(message)) return worker_drained(*drained, now);
    if (const auto failure = ipc::decode<ipc::Failed>(message)) return failed(worker_, *failure, now);
    return false;
}

/// It has logged why.
bool Generation::certificate_refused()
{
    house().rotations.note(false, milliseconds_since_epoch());
    return keyholder_.phase != Phase::starting;
}

bool Generation::keyholder_loaded(const ipc::Loaded& loaded)
{
    write_loaded(loaded);
    const bool first = keyholder_.phase == Phase::starting; // else an answer to `reload`
    if (!first && keyholder_.phase != Phase::serving) return false;
    keyholder_.phase = Phase::serving;
    expect_nothing(keyholder_);
    if (worker_.process.channel() >= 0 && (first || keyless_)) introduce_members();
    return true;
}

bool Generation::worker_ready()
{
    if (std::exchange(ready_, true)) return false;
    log::info("serving", {{"worker", worker_.process.pid()},
                          {"keyholder", keyholder_.process.pid()},
                          {"generation", number_},
                          {"shards", settings_.hello.shards},
                          {"listeners", listeners_.size()}});
    established_ = true;
    figures_.keep(page_);
    if (worker_.phase != Phase::starting) return draining_; // it was told so meanwhile
    worker_.phase = Phase::serving;
    expect_nothing(worker_);
    return true;
}

/// If the keyholder has died, its death is told next, and a new one is introduced to this worker.
bool Generation::worker_lost_its_keys(const ipc::KeysLost& lost, TimePoint now)
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

void Generation::expect_nothing(Member& member)
{
    if (member.phase == Phase::serving) member.deadline = TimePoint::max();
}

bool Generation::worker_drained(const ipc::Drained& drained, TimePoint now)
{
    if (!draining_ || drained_) return false;
    drained_ = drained;
    worker_.deadline = now + patience_.grace;
    return true;
}

bool Generation::failed(Member& member, const ipc::Failed& failure, TimePoint now)
{
    if (!established_) throw StartError{exit_code_of(failure), failure.text};
    if (&member == &keyholder_ && member.phase == Phase::serving) {
        expect_nothing(keyholder_);
        if (keyless_) introduce_members();
        house().rotations.note(false, milliseconds_since_epoch());
        log::error("certificates not reloaded", {{"reason", failure.text}, {"in_force", "the old ones"}});
        return true;
    }
    log::error("child failed", {{"child", member.process.name()}, {"reason", failure.text}});
    send_away(member, now);
    return true;
}

bool Generation::check_listeners()
{
    const bool stopped = std::ranges::any_of(listening_, [](int fd) { return sys::is_listening(fd) == false; });
    listening_.clear(); // until another worker is born: the poll would return at once
    if (stopped && worker_.phase == Phase::serving) kill(worker_, "it has stopped a listening socket");
    return stopped;
}

void Generation::kill_worker(std::string_view reason)
{
    if (worker_.process.alive()) kill(worker_, reason);
}

void Generation::reload(TimePoint now)
{
    if (keyholder_.phase != Phase::serving) {
        log::info("certificates are being read already");
        return;
    }
    log::info("reading the certificates again");
    keyholder_.process.tell(ipc::Load{});
    keyholder_.deadline = now + patience_.start;
}

void Generation::unready()
{
    if (std::exchange(unready_, true)) return;
    worker_.process.tell(ipc::Unready{});
}

void Generation::drain(TimePoint now, Millis limit, bool replaced)
{
    if (wants_worker() && !replaced) bear_worker(now); // between two lives: somebody has to serve who is queued
    const bool is_first = !std::exchange(draining_, true);
    const TimePoint deadline = limit == Millis{0} ? TimePoint::max() : now + limit + patience_.grace;
    listening_.clear();
    listeners_.clear(); // the port is refused as soon as the worker closes its copies too
    if (worker_.phase == Phase::absent) {
        if (is_first) drained_ = ipc::Drained{};
        send_away(keyholder_, now);
        return;
    }
    if (is_first && worker_.phase == Phase::leaving) return; // for another reason
    worker_.process.tell(ipc::Drain{.timeout_ms = static_cast<std::uint32_t>(limit.count()), .replaced = replaced});
    worker_.deadline = is_first ? deadline : std::min(worker_.deadline, deadline);
    worker_.phase = Phase::leaving;
}

bool Generation::gone() const
{
    return draining_ && !worker_.process.alive() && !keyholder_.process.alive();
}

} // namespace sallyport::gatekeeper
