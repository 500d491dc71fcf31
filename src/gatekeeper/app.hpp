// The app of `run -- command…` as the gatekeeper sees it: started, awaited, restarted, told to end, and missed.
//
//   waiting → starting → warming (runs, but does not listen yet) → listening → gone, or waiting again (on-failure)
//   any of them → ending (told to end) → gone
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app_listens.hpp"
#include "backoff.hpp"
#include "child.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/config/config.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/starter.hpp"
#include "starter.hpp"

namespace sallyport::gatekeeper {

/// The upstream that the app serves.
struct AppPlace {
    std::string name;
    SocketAddress address;
};

struct AppSettings {
    AppOrder order;
    AppPlace upstream;   ///< where it has to listen
    bool restart{false}; ///< after a failure
    Millis start_timeout{};
};

/// The app that the configuration and these words describe, run by whoever we are now; nothing without words.
/// Errors: StartError (configuration) if it is not clear which upstream is the app's.
[[nodiscard]] std::optional<AppSettings> app_settings_of(const config::Config& config,
                                                         const std::vector<std::string>& command);

/// What a shell makes of a wait status: the exit code, or 128 and the number of the signal.
[[nodiscard]] ExitCode exit_code_of_status(int status);

/// Owns: the starter, and so the app, which is ended with it (starter.hpp). Thread: one; nothing blocks but the end.
/// Errors: StartError until it listens for the first time; later ones are logged. Every start and death is an audit
/// line; of the command they show its first word, as the others may hold secrets.
class App {
public:
    using Look = std::function<std::optional<bool>(const SocketAddress&)>;
    static constexpr Millis kLooksEvery{50};
    static constexpr Millis kGrace{3'000}; ///< for the starter's news of a killed app, on top of stop_timeout

    App(Starter starter, AppSettings settings, Look look = app_listens);
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    /// Does what is due: starts, looks, deadlines. Call it first, after each event, and when `due` has come.
    void tend(TimePoint now);
    [[nodiscard]] TimePoint due() const;
    /// To poll; -1 once it is closed. One that is readable: `listen`.
    [[nodiscard]] int channel() { return starter_.channel().fd(); }
    void listen(TimePoint now);
    /// A process has died and was reaped. Strangers are ignored.
    void bury(pid_t pid);

    /// It has listened at least once: clients may be accepted.
    [[nodiscard]] bool has_listened() const { return has_listened_; }
    void pass_on(int signal);
    /// It is not started again.
    void let_be_last();
    /// Has it end: the stop signal, and SIGKILL when stop_timeout is over.
    void end(TimePoint now);
    /// Ends it at once.
    void kill();

    /// It is dead, and stays so.
    [[nodiscard]] bool gone() const { return phase_ == Phase::gone; }
    /// Of its last life.
    [[nodiscard]] ExitCode exit_code() const { return exit_code_; }

private:
    enum class Phase : std::uint8_t { waiting, starting, warming, listening, ending, gone };

    void start(TimePoint now);
    void look(TimePoint now);
    void check_deadline(TimePoint now);
    bool hear(TimePoint now);
    void started(pid_t pid);
    void refused(int error, TimePoint now);
    void ended(const ipc::AppEnded& end, TimePoint now);
    void lost(std::string_view reason);
    void mourn(const std::string& how, bool has_failed, TimePoint now);

    AppSettings settings_;
    Starter starter_;
    Look look_;
    Phase phase_{Phase::waiting};
    TimePoint deadline_{}; ///< of the phase
    TimePoint ready_by_{};
    TimePoint look_at_{};
    TimePoint started_at_{};
    Backoff backoff_{};
    pid_t pid_{-1};
    std::uint32_t starts_{0};
    bool has_listened_{false};
    bool is_last_{false};
    ExitCode exit_code_{ExitCode::ok};
};

} // namespace sallyport::gatekeeper
