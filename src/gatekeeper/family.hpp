// The living generations: one serves, older ones drain, and a newer one may be on its way into force.
//
//   a new configuration:   its generation is born beside the serving one. When its worker is Ready it serves, and the
//   one
//                          before drains; if anything fails it is gone again, and the one before has noticed nothing.
//   too many generations:  the oldest is cut, and the new one waits until it has gone.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "figure_book.hpp"
#include "generation.hpp"

namespace sallyport::gatekeeper {

/// What has become of a new generation: it serves, or why it never will.
struct Outcome {
    std::optional<std::string> failure{};
};

/// Owns: the generations. Borrows: the secrets, which a new configuration may add to. Thread: one. Blocks and fails as
/// Generation does, but what fails in a generation is a StartError only while it is the first one and not established.
class Family {
public:
    /// `directory` holds the executables.
    Family(std::string directory, GenerationPlan plan, Secrets& secrets, Patience patience = {});

    /// In the order of their births. The last ones are the serving one and maybe its successor; the others drain.
    [[nodiscard]] const std::list<std::unique_ptr<Generation>>& generations() const { return generations_; }
    /// The one that serves, or is the first to. Not after the end of a drain.
    [[nodiscard]] const Generation& current() const;
    [[nodiscard]] Secrets& secrets() { return secrets_; }

    /// Does what is due: births, kills, deadlines. Call it first, after each event, and when `due` has come.
    void tend(TimePoint now);
    [[nodiscard]] TimePoint due() const;

    /// The control channels to poll. One that is readable: `listen`.
    [[nodiscard]] std::vector<int> channels() const;
    void listen(TimePoint now);

    /// The listening sockets, to poll for no event. POLLHUP on one of them: `check_listeners`.
    [[nodiscard]] std::vector<int> listening() const;
    void check_listeners();

    /// A process has died and was reaped. Strangers are ignored.
    void bury(pid_t pid, int status, TimePoint now);

    /// Has the serving keyholder read all certificates again.
    void reload(TimePoint now);

    /// A new generation, which replaces the serving one when it is Ready: then, or when it has failed, `take_outcome`.
    /// Only if `settled`.
    void renew(GenerationPlan plan);
    /// One serves, and none is to replace it.
    [[nodiscard]] bool settled() const { return established() && !next_ && !rising_ && !draining_; }
    /// What has become of `renew` since the last call.
    [[nodiscard]] std::optional<Outcome> take_outcome() { return std::exchange(outcome_, std::nullopt); }

    /// No worker is born while it is held: clients wait in the queue.
    void hold_worker(bool held);

    /// The end has been asked for: the serving worker is told so, and nobody replaces it any more.
    void unready();

    /// All stop listening, drain for so long, and go. See `gone`.
    void drain(TimePoint now, Millis limit);

    /// After `drain`: all are dead. `drained` tells whether every worker ended in good order, and with what result.
    [[nodiscard]] bool gone() const { return draining_ && generations_.empty(); }
    [[nodiscard]] const std::optional<ipc::Drained>& drained() const { return drained_; }
    /// Of the configuration in force.
    [[nodiscard]] const DrainSettings& drain_settings() const { return current().settings().drain; }
    /// What the gatekeeper itself counts.
    [[nodiscard]] metrics::HouseFigures& house() const { return figures_.house(); }
    /// The first worker has been Ready.
    [[nodiscard]] bool established() const { return established_; }

private:
    template <typename What>
    void each(What what);
    void make_room(TimePoint now);
    void look_at_rising(TimePoint now);
    void give_up_rising(const std::string& reason);
    void bury_generations();
    void count(const Generation& gone);

    std::string directory_;
    Secrets& secrets_;
    Patience patience_;
    FigureBook figures_;
    unsigned born_{0};
    std::list<std::unique_ptr<Generation>> generations_;
    std::unique_ptr<Generation> next_; ///< waits for its turn
    bool rising_{false};               ///< the last one does not serve yet
    unsigned cut_{0};                  ///< up to which number they have been
    std::optional<Outcome> outcome_;
    bool established_{false};
    bool held_{false};
    bool draining_{false};
    std::optional<ipc::Drained> drained_{ipc::Drained{}}; ///< of those that lived when the drain began
};

} // namespace sallyport::gatekeeper
