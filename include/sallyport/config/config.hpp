// The configuration as values: what a file, the environment and flags mean together, every default filled in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::config {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// ":443": every address, IPv4 and IPv6.
struct AnyAddress {
    std::uint16_t port{};
    bool operator==(const AnyAddress&) const = default;
};
/// "fd:3": a listening socket inherited under this number.
struct InheritedFd {
    int number{};
    bool operator==(const InheritedFd&) const = default;
};
/// "systemd:https": a listening socket passed by systemd under this name (sd_listen_fds(3)).
struct SystemdName {
    std::string name;
    bool operator==(const SystemdName&) const = default;
};

struct Bind {
    std::string text; ///< as the user wrote it
    std::variant<AnyAddress, SocketAddress, InheritedFd, SystemdName> where;
    std::uint32_t socket_mode{0660}; ///< permissions of a Unix socket in the file system

    bool operator==(const Bind&) const = default;
};

enum class Profile : std::uint8_t { intermediate, modern };
enum class Mode : std::uint8_t { tcp };
enum class Keys : std::uint8_t { keyholder, in_worker };
enum class SandboxLevel : std::uint8_t { enforce, required, none };
enum class Seccomp : std::uint8_t { enforce, log, none };
enum class LogLevel : std::uint8_t { debug, info, warn, error, none };
enum class LogFormat : std::uint8_t { json, plain };

/// A certificate chain with its key, and the key's passphrase. Each is where the text is: a path, "env:NAME" (a
/// variable, from which the gatekeeper moves it into a memfd) or "fd:N" (an inherited descriptor, which it reads to its
/// end).
struct Certificate {
    std::string cert;
    std::string key;        ///< empty: in the same text; of env:SALLYPORT_CERT in SALLYPORT_KEY if that is set
    std::string passphrase; ///< empty: the key is not encrypted

    bool operator==(const Certificate&) const = default;
};

inline constexpr std::string_view kFromVariable = "env:";
inline constexpr std::string_view kFromDescriptor = "fd:";
[[nodiscard]] inline bool is_path(std::string_view place)
{
    return !place.starts_with(kFromVariable) && !place.starts_with(kFromDescriptor);
}

struct Tls {
    Profile profile{Profile::intermediate};
    std::vector<Certificate> certificates; ///< the first is the default one
    std::vector<std::string> self_signed; ///< names of an in-memory pair; empty: none. Exactly one of the two is given.
    std::vector<std::string> alpn;        ///< empty: ALPN is not answered
    bool session_tickets{true};
    Seconds ticket_lifetime{7200};

    bool operator==(const Tls&) const = default;
};

struct Listener {
    Bind bind;
    Mode mode{Mode::tcp};
    Tls tls;
    std::string forward; ///< an upstream's name; it exists

    bool operator==(const Listener&) const = default;
};

struct Upstream {
    SocketAddress address;

    bool operator==(const Upstream&) const = default;
};

/// The guards of the kernel (Landlock, seccomp) around each process. `required` goes with `seccomp: enforce` only.
struct Sandbox {
    SandboxLevel level{SandboxLevel::enforce};
    Seccomp seccomp{Seccomp::enforce};

    bool operator==(const Sandbox&) const = default;
};

struct Limits {
    std::optional<std::uint32_t> max_connections; ///< not given: (descriptor limit − 200) / 2, at most 10,000
    Millis handshake_timeout{10'000};
    Millis connect_timeout{3'000};
    Millis idle_timeout{300'000};
    std::uint64_t buffers{64ULL << 20}; ///< bytes that slow readers may hold, per shard

    bool operator==(const Limits&) const = default;
};

/// Where audit lines go.
enum class AuditPlace : std::uint8_t { standard_output, descriptor, syslog };
struct AuditStream {
    AuditPlace place{AuditPlace::standard_output};
    int descriptor{-1}; ///< the inherited one

    bool operator==(const AuditStream&) const = default;
};

struct Log {
    LogLevel level{LogLevel::info};
    LogFormat format{LogFormat::json};
    std::uint32_t queue_lines{8192};
    AuditStream audit{};

    bool operator==(const Log&) const = default;
};

struct Drain {
    Millis timeout{25'000};

    bool operator==(const Drain&) const = default;
};

/// What to do about an app whose port is reachable past us.
struct Bypass {
    bool strict{false}; ///< do not serve; else only warn

    bool operator==(const Bypass&) const = default;
};

/// What becomes of the app of `run -- command…` when it has ended.
enum class Restart : std::uint8_t {
    none,      ///< its end is ours
    on_failure ///< it is started again, unless it has ended with exit code 0
};
/// The numbers are the kernel's.
enum class StopSignal : std::uint8_t {
    hup = 1,
    interrupt = 2,
    quit = 3,
    usr1 = 10,
    usr2 = 12,
    terminate = 15,
    winch = 28
};

/// The app of `run -- command…`; without a command nothing of it counts.
struct App {
    std::string upstream;     ///< the one that it serves; empty: the only one
    std::uint32_t uid{65533}; ///< whom it runs as when we are started as root; not our own user, who may read the keys
    std::uint32_t gid{65533};
    Restart restart{Restart::none};
    Millis start_timeout{60'000};
    StopSignal stop_signal{StopSignal::terminate};
    Millis stop_timeout{4'000};

    bool operator==(const App&) const = default;
};

/// Whom the gatekeeper becomes when it was started as root.
struct User {
    std::uint32_t uid{65532};
    std::uint32_t gid{65532};

    bool operator==(const User&) const = default;
};

struct Config {
    std::vector<Listener> listeners;           ///< at least one
    std::map<std::string, Upstream> upstreams; ///< at least one
    std::optional<std::uint16_t> shards;       ///< not given: from the CPU quota and the PID limit
    Keys keys{Keys::keyholder};
    Sandbox sandbox;
    User user;
    App app;
    Limits limits;
    Drain drain;
    Bypass bypass;
    Log log;

    bool operator==(const Config&) const = default;
};

} // namespace sallyport::config
