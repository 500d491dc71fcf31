#include "schema.hpp"

#include <algorithm>
#include <iterator>

#include "addresses.hpp"
#include "http_rows.hpp"
#include "proxy_protocol_rows.hpp"
#include "sallyport/base/contract.hpp"
#include "site_rows.hpp"

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kListenersMax = 64;
constexpr std::size_t kUpstreamsMax = 1024;
constexpr std::size_t kAddressesMax = 256;
constexpr std::size_t kServersMax = 8;
constexpr std::size_t kCertificatesMax = 256;
constexpr std::size_t kNamesMax = 100;
constexpr std::size_t kProtocolsMax = 16;
constexpr Range kIds{1, 0xffff'fffe};

Rows<Certificate> certificate_rows()
{
    return {
        value<Certificate>("cert", &Certificate::cert, PemPlace{"SALLYPORT_CERT"},
                           "The PEM file of the certificate chain, leaf first; or env:NAME, fd:N", Presence::required),
        value<Certificate>("key", &Certificate::key, PemPlace{"SALLYPORT_KEY"},
                           "The PEM file of the private key, or env:NAME, fd:N; left out, it is with the certificate",
                           Presence::optional),
        value<Certificate>("passphrase", &Certificate::passphrase, PassphrasePlace{},
                           "Where the passphrase of an encrypted key is: file:PATH, env:NAME or fd:N",
                           Presence::optional),
    };
}

Rows<Tls> tls_rows()
{
    return {
        value<Tls>("profile", &Tls::profile,
                   Choice<Profile>{{{"intermediate", Profile::intermediate}, {"modern", Profile::modern}}},
                   "Mozilla's profile: intermediate is TLS 1.2 and 1.3, modern is TLS 1.3 alone"),
        list<Tls>("certificates", &Tls::certificates, certificate_rows(), kCertificatesMax,
                  "The certificates, chosen by server name and key type; the first is the default one"),
        value<Tls>("self_signed", &Tls::self_signed,
                   SelfSigned{{{"a host name or an IP address", 253, false}, kNamesMax}},
                   "In place of certificates: true (for localhost) or names make a pair in memory at start",
                   Presence::optional),
        value<Tls>(
            "alpn", &Tls::alpn, Texts{{"a protocol name such as http/1.1", 255, false}, kProtocolsMax},
            "The ALPN protocols to answer with, the preferred one first; empty leaves ALPN unanswered; left out in "
            "mode http, they are h2 and http/1.1"),
        value<Tls>("session_tickets", &Tls::session_tickets, Boolean{},
                   "Whether clients get tickets that shorten their next handshake"),
        value<Tls>("ticket_lifetime", &Tls::ticket_lifetime, Duration<Seconds>{7 * 24h},
                   "How long such a ticket is good"),
    };
}

Rows<Listener> listener_rows()
{
    const auto socket_mode = [](auto& listener) -> auto& { return listener.bind.socket_mode; };
    const auto has_permissions = [](const Listener& listener) { return is_in_file_system(listener.bind); };
    const auto has_tls = [](const Listener& listener) { return listener.tls.is_given(); };
    Rows<Listener> rows{
        // Before `socket_mode`: it sets the whole Bind.
        value<Listener>("bind", &Listener::bind, BindText{},
                        "Where to listen: :443, 10.0.0.1:443, [::1]:443, unix:/path, fd:N or systemd:NAME",
                        Presence::required),
        value<Listener>("mode", &Listener::mode, Choice<Mode>{{{"tcp", Mode::tcp}, {"http", Mode::http}}},
                        "What is forwarded: tcp is every byte as it comes, http is requests"),
        value<Listener>(
            "forward", &Listener::forward, Text{"the name of an upstream", 63, false},
            "The upstream to forward to; left out, it is the only one, unless there are routes or a redirect",
            Presence::optional),
        written_if<Listener>(has_permissions, value<Listener>("socket_mode", socket_mode, Permissions{},
                                                              "The permissions of a Unix socket in the file system")),
        written_if<Listener>(
            has_tls, mapping<Listener>("tls", &Listener::tls, tls_rows(),
                                       "How clients are answered; left out, a listener of mode http is plaintext")),
        proxy_protocol_row(),
    };
    std::ranges::move(site_rows(), std::back_inserter(rows));
    return rows;
}

Rows<Upstream> upstream_rows()
{
    return {
        value<Upstream>("address", &Upstream::address, UpstreamTexts{kAddressesMax},
                        "The app: 127.0.0.1:7766, [::1]:7766, a port of 127.0.0.1, app.internal:7766 or unix:/path, "
                        "with h2c:// before it for HTTP/2; or a list of these, taken in turn",
                        Presence::required),
        value<Upstream>("idle", &Upstream::idle, Duration<Millis>{24h},
                        "How long an unused connection to the app is kept; less than the app itself keeps it"),
        value<Upstream>("max_idle", &Upstream::max_idle, Integer<std::uint32_t>{{0, 65'536}},
                        "How many unused connections are kept, per shard"),
        value<Upstream>("skip_refused", &Upstream::skip_refused, Duration<Millis>{1h},
                        "How long an address that refused a connection is passed over, if there is another"),
        send_proxy_protocol_row(),
    };
}

Rows<Dns> dns_rows()
{
    return {
        value<Dns>("servers", &Dns::servers, NameServers{kServersMax},
                   "The name servers, in order; empty takes those of /etc/resolv.conf"),
        value<Dns>("timeout", &Dns::timeout, Duration<Millis>{1min},
                   "How long one server may take to answer, before the next is asked"),
        value<Dns>("min_ttl", &Dns::min_ttl, Duration<Millis>{24h},
                   "The least time for which an answer is good, whatever it says"),
        value<Dns>("max_ttl", &Dns::max_ttl, Duration<Millis>{7 * 24h},
                   "The longest time for which an answer is good, whatever it says"),
    };
}

Rows<Sandbox> sandbox_rows()
{
    return {
        value<Sandbox>("level", &Sandbox::level,
                       Choice<SandboxLevel>{{{"enforce", SandboxLevel::enforce},
                                             {"required", SandboxLevel::required},
                                             {"none", SandboxLevel::none}}},
                       "Landlock and seccomp: enforce takes what the kernel has, required refuses to start without"),
        value<Sandbox>(
            "seccomp", &Sandbox::seccomp,
            Choice<Seccomp>{{{"enforce", Seccomp::enforce}, {"log", Seccomp::log}, {"none", Seccomp::none}}},
            "What happens to a foreign system call: enforce ends the process, log tells the kernel's audit only"),
    };
}

Rows<User> user_rows()
{
    return {
        value<User>("uid", &User::uid, Integer<std::uint32_t>{kIds}, "Its number; never 0"),
        value<User>("gid", &User::gid, Integer<std::uint32_t>{kIds}, "The number of its only group; never 0"),
    };
}

Rows<App> app_rows()
{
    return {
        value<App>("upstream", &App::upstream, Text{"the name of an upstream", 63, false},
                   "The upstream that it serves; left out, it is the only one", Presence::optional),
        value<App>("uid", &App::uid, Integer<std::uint32_t>{kIds},
                   "The number of its user when started as root; never 0, and better not ours"),
        value<App>("gid", &App::gid, Integer<std::uint32_t>{kIds}, "The number of its only group; never 0"),
        value<App>("restart", &App::restart,
                   Choice<Restart>{{{"none", Restart::none}, {"on-failure", Restart::on_failure}}},
                   "What its end means: none ends Sallyport too, on-failure starts it again unless its exit code is 0"),
        value<App>("start_timeout", &App::start_timeout, Duration<Millis>{1h},
                   "How long it may take until it listens; clients are accepted from then on"),
        value<App>("stop_signal", &App::stop_signal,
                   Choice<StopSignal>{{{"TERM", StopSignal::terminate},
                                       {"INT", StopSignal::interrupt},
                                       {"QUIT", StopSignal::quit},
                                       {"HUP", StopSignal::hup},
                                       {"USR1", StopSignal::usr1},
                                       {"USR2", StopSignal::usr2},
                                       {"WINCH", StopSignal::winch}}},
                   "The signal that asks it to end, after the drain"),
        value<App>("stop_timeout", &App::stop_timeout, Duration<Millis>{1h},
                   "How long it may take to end, before it is killed"),
    };
}

Rows<Limits> limits_rows()
{
    return {
        value<Limits>("max_connections", &Limits::max_connections, IntegerOrAuto<std::uint32_t>{{1, 1'000'000}},
                      "How many clients at once; auto is (descriptor limit - 200) / 2, at most 10,000"),
        value<Limits>("handshake_timeout", &Limits::handshake_timeout, Duration<Millis>{1h},
                      "How long a TLS handshake may take"),
        value<Limits>("connect_timeout", &Limits::connect_timeout, Duration<Millis>{1h},
                      "How long connecting to the app may take"),
        value<Limits>("idle_timeout", &Limits::idle_timeout, Duration<Millis>{7 * 24h},
                      "How long a connection may move no byte"),
        value<Limits>("buffers", &Limits::buffers, Size{{1ULL << 20, 2ULL << 30}},
                      "How many bytes slow readers may hold, per shard"),
        mapping<Limits>("http", &Limits::http, http_limits_rows(), "What is bounded of HTTP, where the mode is http"),
        mapping<Limits>("http2", &Limits::http2, http2_limits_rows(), "Flow control of HTTP/2, to clients and apps"),
    };
}

Rows<Certificates> certificates_rows()
{
    return {value<Certificates>("check_every", &Certificates::check_every, Duration<Millis>{24h},
                                "How often the files of certificates are looked at, where the kernel does not tell of "
                                "a change")};
}

Rows<Drain> drain_rows()
{
    using Delay = std::optional<Millis>;
    return {
        value<Drain>("delay", &Drain::delay, DurationOr<Delay>{24h, {{"auto", Delay{}}, {"none", Delay{0ms}}}},
                     "How long clients are still accepted after SIGTERM, while readiness has fallen; auto is 5s in ECS "
                     "and Kubernetes, at most a fifth of timeout, and none elsewhere"),
        value<Drain>("timeout", &Drain::timeout, Duration<Millis>{24h},
                     "How long connections may go on after SIGTERM, the delay included, before they are cut"),
        value<Drain>("until_upstream_gone", &Drain::until_upstream_gone, Boolean{},
                     "Whether to serve on after SIGTERM until no app of this machine or container listens any longer"),
    };
}

Rows<Reload> reload_rows()
{
    return {
        value<Reload>(
            "drain_timeout", &Reload::drain_timeout, DurationOr<Millis>{1000h, {{"none", 0ms}}},
            "How long connections of the configuration before may go on after SIGHUP; none does not cut them"),
        value<Reload>(
            "max_generations", &Reload::max_generations, IntegerOrAuto<std::uint16_t>{{2, 16}},
            "How many configurations may have connections at once, before the oldest is cut; auto is 4, fewer "
            "if the PID limit leaves no room for them"),
        value<Reload>("last_call", &Reload::last_call, Duration<Millis>{5min},
                      "How long the oldest configuration's connections may take when one too many is on its way"),
    };
}

Rows<Bypass> bypass_rows()
{
    return {value<Bypass>("strict", &Bypass::strict, Boolean{},
                          "Whether not to serve while an app listens on more than loopback; else that is a warning")};
}

Rows<Startup> startup_rows()
{
    return {value<Startup>("wait_for_upstream", &Startup::wait_for_upstream, DurationOrNone<Millis>{1h},
                           "How long clients wait for apps that do not accept yet, before they are answered all the "
                           "same; /readyz waits until all do")};
}

Rows<Admin> admin_rows()
{
    return {
        value<Admin>("bind", &Admin::bind, AdminText{},
                     "Where health, readiness and metrics are asked for: auto is an abstract Unix socket that "
                     "`sallyport health` finds; unix:/path, unix:@name, 127.0.0.1:9901, [::1]:9901; or none"),
        value<Admin>("timeout", &Admin::timeout, Duration<Millis>{1min},
                     "How long one answer may take, from accepting who asks to its end"),
        value<Admin>("max_connections", &Admin::max_connections, Integer<std::uint32_t>{{1, 256}},
                     "How many may ask at once; one more closes the oldest"),
    };
}

Rows<Log> log_rows()
{
    return {
        value<Log>("level", &Log::level,
                   Choice<LogLevel>{{{"none", LogLevel::none},
                                     {"error", LogLevel::error},
                                     {"warn", LogLevel::warn},
                                     {"info", LogLevel::info},
                                     {"debug", LogLevel::debug}}},
                   "The least important lines to write; the audit stream is always written"),
        value<Log>("format", &Log::format, Choice<LogFormat>{{{"json", LogFormat::json}, {"plain", LogFormat::plain}}},
                   "How a line looks"),
        value<Log>("queue_lines", &Log::queue_lines, Integer<std::uint32_t>{{64, 65'536}},
                   "How many lines wait for a slow reader of the log before the oldest are dropped"),
        value<Log>(
            "audit", &Log::audit, AuditText{},
            "Where the audit stream goes: stdout, among the other lines; syslog; or fd:N, an inherited descriptor"),
        mapping<Log>("access", &Log::access, access_log_rows(),
                     "What is written of each request, where the mode is http"),
    };
}

Rows<Config> config_rows()
{
    return {
        list<Config>("listeners", &Config::listeners, listener_rows(), kListenersMax, "Where clients connect to"),
        named<Config>("upstreams", &Config::upstreams, upstream_rows(), kUpstreamsMax, "The apps, by name"),
        mapping<Config>("dns", &Config::dns, dns_rows(), "How the names of upstreams are looked up"),
        value<Config>("shards", &Config::shards, IntegerOrAuto<std::uint16_t>{{1, 64}},
                      "How many threads serve; auto follows the CPU quota and the PID limit"),
        value<Config>("keys", &Config::keys,
                      Choice<Keys>{{{"keyholder", Keys::keyholder}, {"in_worker", Keys::in_worker}}},
                      "Where private keys live: in a process of their own, or with the network"),
        mapping<Config>("certificates", &Config::certificates, certificates_rows(),
                        "How certificates rotate whose files change"),
        mapping<Config>("sandbox", &Config::sandbox, sandbox_rows(), "How each process is confined by the kernel"),
        mapping<Config>("user", &Config::user, user_rows(), "Whom to become when started as root"),
        mapping<Config>("app", &Config::app, app_rows(), "The app that `sallyport run -- command` starts"),
        mapping<Config>("limits", &Config::limits, limits_rows(), "What is bounded, and by how much"),
        mapping<Config>("drain", &Config::drain, drain_rows(), "How to end"),
        mapping<Config>("reload", &Config::reload, reload_rows(), "What SIGHUP leaves of the configuration before"),
        mapping<Config>("bypass", &Config::bypass, bypass_rows(), "What to do about an app that is reachable past us"),
        mapping<Config>("startup", &Config::startup, startup_rows(), "How clients are let in at first"),
        mapping<Config>("admin", &Config::admin, admin_rows(), "Where this Sallyport tells how it is"),
        mapping<Config>("log", &Config::log, log_rows(), "What is written to standard output"),
    };
}

} // namespace

const Rows<Config>& schema()
{
    static const Rows<Config> rows = config_rows();
    return rows;
}

const std::vector<Key>& schema_keys()
{
    static const std::vector<Key> keys = keys_of(schema());
    return keys;
}

const Key& key_at(std::string_view path)
{
    const std::vector<Key>* keys = &schema_keys();
    for (;;) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        const auto key = std::ranges::find(*keys, path.substr(0, dot), &Key::name);
        SALLYPORT_ASSERT(key != keys->end());
        if (dot == path.size()) return *key;
        keys = &key->inside;
        path.remove_prefix(dot + 1);
    }
}

} // namespace sallyport::config
