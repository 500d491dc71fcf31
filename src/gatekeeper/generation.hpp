// One configuration in force: its keyholder and its worker, who is born when, what each is told, and what follows from
// a death.
//
//   birth:            keyholder, Loaded; then worker, introduced to it, Serve, Ready. Any failure is a StartError.
//   dead worker:      another one, after a wait, on the same sockets, introduced to the living keyholder.
//   dead keyholder:   another one, after a wait, Loaded; then introduced to the living worker, which goes on meanwhile.
//   a worker whose key channels the keyholder has ended (an unlawful request): another one.
//   draining:         no worker is born any more. When it has gone, so does the keyholder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backoff.hpp"
#include "binder.hpp"
#include "briefing.hpp"
#include "child.hpp"
#include "figure_book.hpp"
#include "sallyport/base/start_error.hpp"
#include "settings.hpp"

namespace sallyport::gatekeeper {

/// How long the gatekeeper waits for its children.
struct Patience {
    Millis start{30'000};  ///< from birth, or from being told to load again, to the answer
    Millis keyless{1'000}; ///< a worker without key channels, while the keyholder lives
    Millis grace{5'000};   ///< from being told to go until it is killed, on top of the drain's own time
};

/// What a generation is made of.
struct GenerationPlan {
    Settings settings;
    std::vector<BoundListener> listeners;
};

/// Owns: both processes (killed when it is destroyed), its descriptors of the listening sockets. Borrows: the secrets,
/// the figures. Thread: one. Nothing blocks but a birth and a child that does not read (5 s). Errors: StartError from
/// any of its functions before it is established; later ones are logged and retried.
class Generation {
public:
    /// `directory` holds the executables.
    Generation(unsigned number, const std::string& directory, GenerationPlan plan, const Secrets& secrets,
               FigureBook& figures, Patience patience);
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;
    ~Generation();

    /// Counts from 1.
    [[nodiscard]] unsigned number() const { return number_; }
    [[nodiscard]] const Child& keyholder() const { return keyholder_.process; }
    [[nodiscard]] const Child& worker() const { return worker_.process; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    /// None while it drains.
    [[nodiscard]] const std::vector<BoundListener>& listeners() const { return listeners_; }

    /// Does what is due: births, kills, deadlines. Call it first, after each event, and when `due` has come.
    void tend(TimePoint now);
    [[nodiscard]] TimePoint due() const;

    /// The control channels to poll; -1 for none. One that is readable: `listen`.
    [[nodiscard]] int keyholder_channel() const { return keyholder_.channel(); }
    [[nodiscard]] int worker_channel() const { return worker_.channel(); }
    void listen(TimePoint now);

    /// The listening sockets, to poll for no event: POLLHUP says that one has been stopped, which only a captured
    /// worker does. Then: `check_listeners`, which replaces it. True: one has been stopped indeed.
    [[nodiscard]] const std::vector<int>& listening() const { return listening_; }
    bool check_listeners();
    void kill_worker(std::string_view reason);

    /// A process has died and was reaped. Strangers are ignored.
    void bury(pid_t pid, int status, TimePoint now);

    /// Has the keyholder read all certificates again; the outcome is logged. One that does not answer is replaced.
    void reload(TimePoint now);

    /// No worker is born while it is held: clients wait in the queue.
    void hold_worker(bool held) { held_ = held; }

    /// The worker is told that the end has been asked for; it serves on.
    void unready();

    /// Stops listening and lets the worker drain, for so long (0: as long as it likes); then both go. See `gone`. A
    /// worker that is just not there is born for it, if there is a keyholder and none replaces it: clients may wait in
    /// the queue. Another order may follow, which makes it end sooner.
    void drain(TimePoint now, Millis limit, bool replaced);
    [[nodiscard]] bool draining() const { return draining_; }

    /// After `drain`: both are dead. `drained` tells whether the worker ended in good order, and with what result.
    [[nodiscard]] bool gone() const;
    [[nodiscard]] const std::optional<ipc::Drained>& drained() const { return drained_; }
    /// Its first worker has been Ready.
    [[nodiscard]] bool established() const { return established_; }

private:
    enum class Phase : std::uint8_t {
        absent,   ///< not there; may be born at its deadline
        starting, ///< told everything; has to answer before its deadline
        serving,  ///< killed at its deadline, if an answer or a sign of life is due
        leaving   ///< told to go; killed at its deadline
    };
    struct Member {
        Child process;
        Phase phase{Phase::absent};
        TimePoint deadline{};
        bool heard_out{false}; ///< it has said its last word
        Backoff backoff{};

        [[nodiscard]] int channel() const { return heard_out ? -1 : process.channel(); }
    };

    void bear_keyholder(TimePoint now);
    void bear_worker(TimePoint now);
    bool bear(Member& member, TimePoint now);
    void introduce_members();
    void check_deadline(Member& member, TimePoint now);
    void kill(Member& member, std::string_view reason);
    void send_away(Member& member, TimePoint now);
    void mourn(Member& member, const std::string& how, TimePoint now);
    Millis rest(Member& member, TimePoint now);

    void hear(Member& member, TimePoint now);
    void note_trap(Member& member, const ipc::Trapped& trapped, TimePoint now);
    bool hear_keyholder(std::span<const std::byte> message, TimePoint now);
    bool hear_worker(std::span<const std::byte> message, TimePoint now);
    bool certificate_refused();
    bool keyholder_loaded(const ipc::Loaded& loaded);
    bool worker_ready();
    bool worker_lost_its_keys(const ipc::KeysLost& lost, TimePoint now);
    void expect_nothing(Member& member);
    bool worker_drained(const ipc::Drained& drained, TimePoint now);
    bool failed(Member& member, const ipc::Failed& failure, TimePoint now);
    [[nodiscard]] bool wants_keyholder() const;
    [[nodiscard]] bool wants_worker() const;

    [[nodiscard]] metrics::HouseFigures& house() const { return figures_.house(); }

    unsigned number_;
    Settings settings_;
    std::vector<BoundListener> listeners_;
    const Secrets& secrets_;
    FigureBook& figures_;
    FigureBook::Number page_{0}; ///< of the present worker
    Patience patience_;
    Member keyholder_;
    Member worker_;
    std::uint32_t introductions_{0}; ///< of the present worker
    std::uint32_t losses_{0};        ///< up to which of them it has said that their channels have ended
    bool keyless_{false};            ///< its key channels have ended
    bool ready_{false};              ///< it has said so
    std::vector<int> listening_;     ///< of `listeners_`, while nobody is known to have stopped one
    bool established_{false};
    bool held_{false};
    bool unready_{false};
    bool draining_{false};
    std::optional<ipc::Drained> drained_;
};

} // namespace sallyport::gatekeeper
