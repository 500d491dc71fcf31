// The configuration as values: what a file, the environment and flags mean together, every default filled in.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sallyport/base/socket_address.hpp"
#include "sallyport/config/admin.hpp"

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
enum class Mode : std::uint8_t { tcp, http };
enum class ForwardedForm : std::uint8_t { x_forwarded, rfc7239, both, none };
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
    std::vector<std::string> alpn;        ///< empty: ALPN is not answered. Of mode http: h2 and http/1.1 if left out
    bool session_tickets{true};
    Seconds ticket_lifetime{7200};

    /// False: the listener is plaintext, which is of mode http only.
    [[nodiscard]] bool is_given() const { return !certificates.empty() || !self_signed.empty(); }
    bool operator==(const Tls&) const = default;
};

struct HeaderLine {
    std::string name;
    std::string value;

    bool operator==(const HeaderLine&) const = default;
};

/// What is changed in the heads of requests or of responses. Valid as fields, and none about framing.
struct HeaderRules {
    std::vector<HeaderLine> set; ///< in place of all of this name
    std::vector<HeaderLine> add;
    std::vector<std::string> remove;

    bool operator==(const HeaderRules&) const = default;
};

struct Headers {
    HeaderRules request;
    HeaderRules response;

    bool operator==(const Headers&) const = default;
};

/// The first one of a listener that fits has the request. What is empty fits all; not all three are.
struct Route {
    std::vector<std::string> hosts;   ///< exact, or "*.example.com"
    std::vector<std::string> paths;   ///< prefixes
    std::vector<std::string> methods; ///< GET means HEAD as well
    std::string forward;              ///< an upstream's name; it exists
    Headers headers;

    bool operator==(const Route&) const = default;
};

/// A network whose word about clients counts, or "unix": whoever connects to a Unix socket.
struct TrustedProxy {
    std::string text;                    ///< as the user wrote it
    std::array<std::byte, 16> address{}; ///< IPv4 as IPv6
    std::uint8_t prefix{};

    [[nodiscard]] bool is_unix() const { return text == "unix"; }
    bool operator==(const TrustedProxy&) const = default;
};

enum class ProxyHeader : std::uint8_t { none, optional, required };
enum class ProxyVersions : std::uint8_t { any, v1, v2 };

/// Of a listener: the PROXY headers that clients' connections begin with.
struct ProxyProtocol {
    ProxyHeader mode{ProxyHeader::none};
    std::vector<TrustedProxy> trusted; ///< who may send one; not empty unless the mode is `none`
    ProxyVersions version{ProxyVersions::any};
    Millis timeout{5'000};
    std::uint64_t max_size{4ULL << 10};

    bool operator==(const ProxyProtocol&) const = default;
};

/// Strict-Transport-Security.
struct Hsts {
    Seconds max_age{0}; ///< 0: the field is not sent
    bool include_subdomains{false};
    bool preload{false};

    bool operator==(const Hsts&) const = default;
};

/// What follows `forward` is of mode http.
struct Listener {
    Bind bind;
    Mode mode{Mode::http};
    Tls tls;
    ProxyProtocol proxy_protocol;
    std::string forward; ///< an upstream's name; it exists. Empty: what no route takes is redirected or not found
    std::optional<std::uint16_t> redirect; ///< to https, on this port
    std::vector<Route> routes;
    ForwardedForm forwarded{ForwardedForm::x_forwarded};
    std::vector<TrustedProxy> trusted_proxies;
    Hsts hsts;
    Headers headers;

    bool operator==(const Listener&) const = default;
};

/// Where an app is: an address, or a name that is looked up.
struct AppAddress {
    std::string host{}; ///< empty: `address` counts
    std::uint16_t port{};
    SocketAddress address{};

    [[nodiscard]] std::string text() const { return host.empty() ? address.text() : host + ":" + std::to_string(port); }
    bool operator==(const AppAddress&) const = default;
};

/// What is spoken to an app: HTTP/1.1, or HTTP/2 without TLS.
enum class Protocol : std::uint8_t { http1, h2c };

struct AppAddresses {
    Protocol protocol{Protocol::http1};
    std::vector<AppAddress> list; ///< taken in turn; at least one

    bool operator==(const AppAddresses&) const = default;
};

/// What each connection to an app begins with.
enum class SentProxyHeader : std::uint8_t { none, v1, v2, v2_crc32c };

struct Upstream {
    AppAddresses address;
    Millis idle{4'000}; ///< how long an unused connection is kept: uvicorn closes its own after 5 s
    std::uint32_t max_idle{256};
    Millis skip_refused{1'000};
    SentProxyHeader send_proxy_protocol{SentProxyHeader::none}; ///< not with h2c

    bool operator==(const Upstream&) const = default;
};

/// How the names of upstreams are looked up.
struct Dns {
    std::vector<SocketAddress> servers; ///< empty: those of /etc/resolv.conf
    Millis timeout{2'000};
    Millis min_ttl{1'000};
    Millis max_ttl{60'000};

    bool operator==(const Dns&) const = default;
};

/// The guards of the kernel (Landlock, seccomp) around each process. `required` goes with `seccomp: enforce` only.
struct Sandbox {
    SandboxLevel level{SandboxLevel::enforce};
    Seccomp seccomp{Seccomp::enforce};

    bool operator==(const Sandbox&) const = default;
};

/// Of `mode: http`. An address is a part of its head, so `max_uri_size` is below `max_header_size`.
struct HttpLimits {
    std::uint64_t max_header_size{64ULL << 10}; ///< of a request's or response's whole head
    std::uint64_t max_uri_size{8ULL << 10};
    std::uint32_t max_header_count{100};
    std::uint64_t max_trailer_size{8ULL << 10};
    std::uint64_t max_body_size{16ULL << 30};
    Millis header_timeout{10'000};
    Millis body_timeout{30'000};
    std::uint64_t min_body_rate{500}; ///< bytes a second
    Millis keep_alive_timeout{75'000};
    Millis response_timeout{60'000};
    Millis tunnel_idle{3'600'000};
    Millis close_timeout{2'000};
    Millis lingering_timeout{5'000};
    Millis lingering_time{30'000};
    std::uint32_t max_requests_per_connection{10'000};
    std::uint32_t max_concurrent_streams{100};

    bool operator==(const HttpLimits&) const = default;
};

/// How much of a body an HTTP/2 peer, client or app, may send before it is taken.
struct Http2Limits {
    std::uint64_t stream_window{256ULL << 10}; ///< at most the connection's
    std::uint64_t connection_window{1ULL << 20};

    bool operator==(const Http2Limits&) const = default;
};

struct Limits {
    std::optional<std::uint32_t> max_connections; ///< not given: (descriptor limit − 200) / 2, at most 10,000
    Millis handshake_timeout{10'000};
    Millis connect_timeout{3'000};
    Millis idle_timeout{300'000};
    std::uint64_t buffers{64ULL << 20}; ///< bytes that slow readers may hold, per shard
    HttpLimits http{};
    Http2Limits http2{};

    bool operator==(const Limits&) const = default;
};

/// Where audit lines go.
enum class AuditPlace : std::uint8_t { standard_output, descriptor, syslog };
struct AuditStream {
    AuditPlace place{AuditPlace::standard_output};
    int descriptor{-1}; ///< the inherited one

    bool operator==(const AuditStream&) const = default;
};

/// One line for each exchange. `structured` is a line like all others, in `log.format`.
enum class AccessFormat : std::uint8_t { structured, common, combined, none };
struct AccessLog {
    AccessFormat format{AccessFormat::structured};
    std::vector<std::string> headers; ///< names of request fields that are logged as well
    std::vector<std::string> redact;  ///< names of secret parameters and fields beside the built-in ones

    bool operator==(const AccessLog&) const = default;
};

struct Log {
    LogLevel level{LogLevel::info};
    LogFormat format{LogFormat::json};
    std::uint32_t queue_lines{8192};
    AuditStream audit{};
    AccessLog access{};

    bool operator==(const Log&) const = default;
};

/// How files of certificates are watched.
struct Certificates {
    Millis check_every{30'000};

    bool operator==(const Certificates&) const = default;
};

/// From the signal to the end. `delay` is shorter than `timeout`, which counts from the signal as well.
struct Drain {
    std::optional<Millis> delay; ///< not given: as long as an orchestrator needs, where one is recognised
    Millis timeout{25'000};
    bool until_upstream_gone{false}; ///< nothing ends before the apps no longer listen

    bool operator==(const Drain&) const = default;
};

/// What becomes of the generation that a new configuration replaces.
struct Reload {
    Millis drain_timeout{0};                      ///< 0: its connections are not cut
    std::optional<std::uint16_t> max_generations; ///< not given: 4, fewer if the PID limit leaves no room
    Millis last_call{2'000};                      ///< for the oldest, when one more is on its way

    bool operator==(const Reload&) const = default;
};

/// What to do about an app whose port is reachable past us.
struct Bypass {
    bool strict{false}; ///< do not serve; else only warn

    bool operator==(const Bypass&) const = default;
};

/// How clients are let in at first.
struct Startup {
    Millis wait_for_upstream{0}; ///< how long clients wait for apps that do not accept yet; 0: not at all

    bool operator==(const Startup&) const = default;
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
    Dns dns;
    std::optional<std::uint16_t> shards; ///< not given: from the CPU quota and the PID limit
    Keys keys{Keys::keyholder};
    Certificates certificates;
    Sandbox sandbox;
    User user;
    App app;
    Limits limits;
    Drain drain;
    Reload reload;
    Bypass bypass;
    Startup startup;
    Admin admin;
    Log log;

    bool operator==(const Config&) const = default;
};

/// Where the admin endpoint is; nothing: there is none. Everybody who reads the same configuration finds it.
/// `automatic` is an abstract socket, which needs no file system to write to, named after the listeners: no two
/// Sallyports of one network namespace have the same ones.
[[nodiscard]] std::optional<SocketAddress> admin_address(const Config& config);

/// Whether it is a name that `automatic` makes, of whatever listeners.
[[nodiscard]] bool is_automatic(const SocketAddress& address);

} // namespace sallyport::config
