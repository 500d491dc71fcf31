// What the gatekeeper and the starter of the app (`run -- command…`) say to each other.
//
// Gatekeeper → starter:  StartApp, as often as the last one has ended; SignalApp; EndApp.
// Starter → gatekeeper:  StarterReady or StarterFailed once; AppStarted or AppRefused as the answer to each StartApp;
//                        AppEnded when it has died.
// An end of file tells the starter to end the app, as EndApp does, and then to exit.
#pragma once

#include <cstdint>
#include <string>

namespace sallyport::ipc {

enum class Starter : std::uint8_t {
    start_app = 1,
    signal_app,
    end_app,
    starter_ready,
    starter_failed,
    app_started,
    app_refused,
    app_ended
};

struct StartApp {
    static constexpr Starter kKind = Starter::start_app;
    template <typename A>
    void fields(A&)
    {
    }
};

/// To the app itself; SIGKILL to its whole process group. Nothing if none lives.
struct SignalApp {
    static constexpr Starter kKind = Starter::signal_app;
    std::int32_t number{};

    template <typename A>
    void fields(A& a)
    {
        a(number);
    }
};

/// The stop signal, and SIGKILL to its whole process group when its time is over.
struct EndApp {
    static constexpr Starter kKind = Starter::end_app;
    template <typename A>
    void fields(A&)
    {
    }
};

/// It has given up every privilege.
struct StarterReady {
    static constexpr Starter kKind = Starter::starter_ready;
    template <typename A>
    void fields(A&)
    {
    }
};

/// It could not, and exits.
struct StarterFailed {
    static constexpr Starter kKind = Starter::starter_failed;
    std::uint8_t exit_code{};
    std::string text;

    template <typename A>
    void fields(A& a)
    {
        a(exit_code, text);
    }
};

struct AppStarted {
    static constexpr Starter kKind = Starter::app_started;
    std::int32_t pid{};

    template <typename A>
    void fields(A& a)
    {
        a(pid);
    }
};

/// It could not be executed.
struct AppRefused {
    static constexpr Starter kKind = Starter::app_refused;
    std::int32_t error{}; ///< an errno

    template <typename A>
    void fields(A& a)
    {
        a(error);
    }
};

struct AppEnded {
    static constexpr Starter kKind = Starter::app_ended;
    std::int32_t status{}; ///< waitpid(2)'s
    bool overdue{false};   ///< it had to be killed, as its time to end was over

    template <typename A>
    void fields(A& a)
    {
        a(status, overdue);
    }
};

} // namespace sallyport::ipc
