#include "settings.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "pem_secrets.hpp"
#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/resources.hpp"
#include "site_settings.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr std::uint64_t kDescriptorsAside = 200;
constexpr std::uint64_t kDescriptorsPerConnection = 2;
constexpr std::uint64_t kConnectionsMost = 10'000;

// The children cast these back: the two vocabularies must agree.
static_assert(static_cast<int>(config::LogLevel::debug) == static_cast<int>(log::Level::debug));
static_assert(static_cast<int>(config::LogLevel::none) == static_cast<int>(log::Level::none));
static_assert(static_cast<int>(config::LogFormat::plain) == static_cast<int>(log::Format::plain));
static_assert(static_cast<int>(config::AccessFormat::none) == static_cast<int>(ipc::AccessFormat::none));
static_assert(static_cast<int>(config::AuditPlace::standard_output) == 0);
static_assert(static_cast<int>(config::AuditPlace::syslog) == static_cast<int>(log::AuditPlace::syslog));
static_assert(static_cast<int>(config::Keys::in_worker) == static_cast<int>(ipc::KeyPlace::in_worker));
static_assert(static_cast<int>(config::SandboxLevel::none) == static_cast<int>(ipc::SandboxLevel::none));
static_assert(static_cast<int>(config::Seccomp::none) == static_cast<int>(ipc::SeccompMode::none));
static_assert(static_cast<int>(config::Protocol::h2c) == static_cast<int>(ipc::AppProtocol::h2c));
static_assert(static_cast<int>(config::ProxyHeader::required) == static_cast<int>(ipc::ProxyHeader::required));
static_assert(static_cast<int>(config::ProxyVersions::v2) == static_cast<int>(ipc::ProxyVersions::v2));
static_assert(static_cast<int>(config::SentProxyHeader::v2_crc32c) ==
              static_cast<int>(ipc::SentProxyHeader::v2_crc32c));
static_assert(static_cast<int>(config::Profile::modern) == static_cast<int>(ipc::TlsProfile::modern));

/// A deadline or a size as its message carries it: never 0, never wrapped.
template <typename T>
std::uint32_t bounded(T value)
{
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (value < 1) return 1;
    return static_cast<std::uint32_t>(std::min(static_cast<std::uint64_t>(value), kMost));
}

ipc::HttpLimits http_limits_of(const config::HttpLimits& http, const config::Http2Limits& http2)
{
    return {.head_bytes = bounded(http.max_header_size),
            .target_bytes = bounded(http.max_uri_size),
            .fields_max = http.max_header_count,
            .trailer_bytes = bounded(http.max_trailer_size),
            .body_bytes_max = http.max_body_size,
            .head_ms = bounded(http.header_timeout.count()),
            .body_ms = bounded(http.body_timeout.count()),
            .body_rate = bounded(http.min_body_rate),
            .keep_alive_ms = bounded(http.keep_alive_timeout.count()),
            .response_ms = bounded(http.response_timeout.count()),
            .tunnel_idle_ms = bounded(http.tunnel_idle.count()),
            .close_ms = bounded(http.close_timeout.count()),
            .linger_idle_ms = bounded(http.lingering_timeout.count()),
            .linger_all_ms = bounded(http.lingering_time.count()),
            .requests_max = http.max_requests_per_connection,
            .streams_max = http.max_concurrent_streams,
            .stream_window = bounded(http2.stream_window),
            .connection_window = bounded(http2.connection_window)};
}

ipc::Limits limits_of(const config::Limits& limits, const Machine& machine)
{
    return {.connections_max = limits.max_connections.value_or(connections_that_fit(machine.descriptors)),
            .handshake_ms = bounded(limits.handshake_timeout.count()),
            .connect_ms = bounded(limits.connect_timeout.count()),
            .idle_ms = bounded(limits.idle_timeout.count()),
            .buffer_bytes_max = bounded(limits.buffers),
            .http = http_limits_of(limits.http, limits.http2)};
}

std::uint32_t wait_of(const config::Startup& startup)
{
    return startup.wait_for_upstream.count() == 0 ? 0 : bounded(startup.wait_for_upstream.count());
}

/// The queue's memory is taken at the start: whoever writes no line pays for none.
std::uint32_t queue_of(const config::Log& log)
{
    return log.level == config::LogLevel::none ? std::min(log.queue_lines, log::kFewLines) : log.queue_lines;
}

ipc::Hello hello_of(const config::Config& config, const Machine& machine)
{
    return {.build_id = std::string{build_id()},
            .log = {.level = static_cast<std::uint8_t>(config.log.level),
                    .format = static_cast<std::uint8_t>(config.log.format),
                    .queue_lines = queue_of(config.log),
                    .chain = {},
                    .audit = static_cast<std::uint8_t>(config.log.audit.place)},
            .sandbox = sandbox_of(config.sandbox),
            .key_place = static_cast<ipc::KeyPlace>(config.keys),
            .shards = shards_of(config, machine),
            .limits = limits_of(config.limits, machine),
            .access = {.format = static_cast<ipc::AccessFormat>(config.log.access.format),
                       .headers = config.log.access.headers,
                       .redact = config.log.access.redact},
            .certificate_check_ms = bounded(config.certificates.check_every.count()),

            .wait_for_upstream_ms = wait_of(config.startup)};
}

ipc::TextSource text_source_of(const std::string& place)
{
    return {.name = place, .travels = !config::is_path(place)};
}

ipc::CertificateSource source_of(const config::Certificate& pair)
{
    ipc::CertificateSource source;
    source.label = pair.cert;
    source.certificate = text_source_of(pair.cert);
    source.key = text_source_of(key_place(pair));
    source.passphrase = text_source_of(pair.passphrase);
    return source;
}

ipc::CertificateSource self_signed_source(const std::vector<std::string>& names)
{
    ipc::CertificateSource source;
    source.label = "self-signed " + names.front();
    source.self_signed_names = names;
    return source;
}

bool same_pair(const ipc::CertificateSource& a, const ipc::CertificateSource& b)
{
    return a.certificate == b.certificate && a.key == b.key && a.passphrase == b.passphrase &&
           a.self_signed_names == b.self_signed_names;
}

std::vector<ipc::AppAddress> addresses_of(const config::AppAddresses& app)
{
    std::vector<ipc::AppAddress> addresses;
    for (const config::AppAddress& one : app.list)
        addresses.push_back({.host = one.host, .port = one.port, .address = one.address});
    return addresses;
}

/// Its index, after adding it if no listener before had it.
std::uint32_t index_in(std::vector<ipc::CertificateSource>& sources, ipc::CertificateSource source)
{
    const auto known =
        std::ranges::find_if(sources, [&](const ipc::CertificateSource& other) { return same_pair(other, source); });
    const auto index = static_cast<std::uint32_t>(known - sources.begin());
    if (known == sources.end()) sources.push_back(std::move(source));
    return index;
}

std::vector<std::uint32_t> certificates_of(const config::Tls& tls, std::vector<ipc::CertificateSource>& sources)
{
    std::vector<std::uint32_t> indexes;
    for (const config::Certificate& pair : tls.certificates)
        indexes.push_back(index_in(sources, source_of(pair)));
    if (!tls.self_signed.empty()) indexes.push_back(index_in(sources, self_signed_source(tls.self_signed)));
    return indexes;
}

/// The index of an upstream; 0 of none.
std::uint32_t upstream_of(const std::string& name, const config::Listener& listener, const config::Config& config)
{
    if (name.empty() && listener.mode == config::Mode::http) return 0;
    const auto upstream = config.upstreams.find(name);
    if (upstream == config.upstreams.end())
        throw StartError{ExitCode::configuration,
                         "listener " + listener.bind.text + ": forward: no upstream is named '" + name + "'"};
    return static_cast<std::uint32_t>(std::distance(config.upstreams.begin(), upstream));
}

std::vector<ipc::Route> routes_of(const config::Listener& listener, const config::Config& config)
{
    std::vector<ipc::Route> routes;
    for (const config::Route& route : listener.routes)
        routes.push_back(route_of(route, upstream_of(route.forward, listener, config)));
    return routes;
}

/// curl --http1.0 offers no more than http/1.0, which who speaks HTTP/1.1 answers as well.
std::vector<std::string> alpn_of(const config::Listener& listener)
{
    std::vector<std::string> alpn = listener.tls.alpn;
    if (listener.mode == config::Mode::http && std::ranges::find(alpn, "http/1.1") != alpn.end())
        alpn.emplace_back("http/1.0");
    return alpn;
}

ipc::ProxyProtocol proxy_protocol_of(const config::ProxyProtocol& from)
{
    ipc::ProxyProtocol made{.mode = static_cast<ipc::ProxyHeader>(from.mode),
                            .versions = static_cast<ipc::ProxyVersions>(from.version),
                            .timeout_ms = bounded(from.timeout.count()),
                            .size_max = bounded(from.max_size)};
    add_trusted(from.trusted, made.trusted, made.trusts_unix_sockets);
    return made;
}

ipc::Listener listener_of(const config::Listener& listener, const config::Config& config, Settings& settings)
{
    const config::Tls& tls = listener.tls;
    return {.bind = listener.bind.text,
            .shared = false,
            .mode = static_cast<ipc::Mode>(listener.mode),
            .upstream = upstream_of(listener.forward, listener, config),
            .tls = {.profile = static_cast<ipc::TlsProfile>(tls.profile),
                    .tickets = tls.session_tickets,
                    .ticket_lifetime_s = bounded(tls.ticket_lifetime.count()),
                    .alpn = alpn_of(listener),
                    .certificates = certificates_of(tls, settings.sources)},
            .site = site_of(listener),
            .proxy_protocol = proxy_protocol_of(listener.proxy_protocol)};
}

/// Load balancers have noticed by then, and four fifths of the time are left to drain in.
constexpr config::Millis kOrchestratedDelay{5'000};
constexpr int kDelayShare = 5;

DrainSettings drain_of(const config::Config& config, const Machine& machine)
{
    const config::Drain& drain = config.drain;
    const config::Millis usual = machine.orchestrated ? kOrchestratedDelay : config::Millis{0};
    const config::Millis delay = drain.delay.value_or(std::min(usual, drain.timeout / kDelayShare));
    DrainSettings settings{.delay_ms = delay.count() == 0 ? 0 : bounded(delay.count()),
                           .timeout_ms = bounded(drain.timeout.count())};
    if (!drain.until_upstream_gone) return settings;
    for (const auto& [name, upstream] : config.upstreams)
        for (const config::AppAddress& app : upstream.address.list)
            if (app.host.empty()) settings.apps.push_back(app.address);
    return settings;
}

ReloadSettings reload_of(const config::Config& config, const Machine& machine)
{
    const std::chrono::milliseconds limit = config.reload.drain_timeout;
    const std::uint16_t fitting = sys::default_generations(shards_of(config, machine), machine.tasks);
    return {.drain_ms = limit.count() == 0 ? 0 : bounded(limit.count()),
            .generations_max = config.reload.max_generations.value_or(fitting),
            .last_call_ms = bounded(config.reload.last_call.count())};
}

} // namespace

Settings settings_of(const config::Config& config, const Machine& machine)
{
    Settings settings;
    settings.hello = hello_of(config, machine);
    settings.drain = drain_of(config, machine);
    settings.reload = reload_of(config, machine);
    settings.upstreams = upstreams_of(config);
    for (const config::Listener& listener : config.listeners) {
        settings.listeners.push_back(listener_of(listener, config, settings));
        settings.routes.push_back(routes_of(listener, config));
    }
    return settings;
}

std::vector<ipc::Upstream> upstreams_of(const config::Config& config)
{
    std::vector<ipc::Upstream> upstreams;
    for (const auto& [name, upstream] : config.upstreams) {
        // A connection that was begun for one client must not carry another's request.
        const bool is_for_one = upstream.send_proxy_protocol != config::SentProxyHeader::none;
        upstreams.push_back({.name = name,
                             .protocol = static_cast<ipc::AppProtocol>(upstream.address.protocol),
                             .addresses = addresses_of(upstream.address),
                             .idle_ms = bounded(upstream.idle.count()),
                             .idle_max = is_for_one ? 0 : upstream.max_idle,
                             .skip_refused_ms = bounded(upstream.skip_refused.count()),
                             .proxy_header = static_cast<ipc::SentProxyHeader>(upstream.send_proxy_protocol)});
    }
    return upstreams;
}

ipc::SandboxSettings sandbox_of(const config::Sandbox& sandbox)
{
    return {.level = static_cast<ipc::SandboxLevel>(sandbox.level),
            .seccomp = static_cast<ipc::SeccompMode>(sandbox.seccomp)};
}

std::uint16_t shards_of(const config::Config& config, const Machine& machine)
{
    const std::uint16_t generations = config.reload.max_generations.value_or(sys::kGenerationsLeast);
    const std::uint16_t usual =
        machine.in_force.value_or(sys::default_shards(machine.shards, machine.tasks, generations));
    const std::uint16_t wanted = config.shards.value_or(usual);
    if (wanted < 1 || wanted > sys::kShardsMax)
        throw StartError{ExitCode::configuration, "shards: " + std::to_string(wanted) + " is not between 1 and " +
                                                      std::to_string(sys::kShardsMax) + "; one per CPU is enough"};
    return wanted;
}

std::uint32_t connections_that_fit(std::uint64_t descriptors)
{
    if (descriptors <= kDescriptorsAside + kDescriptorsPerConnection) return 1;
    const std::uint64_t fit = (descriptors - kDescriptorsAside) / kDescriptorsPerConnection;
    return static_cast<std::uint32_t>(std::min(fit, kConnectionsMost));
}

std::uint64_t descriptors_for(std::uint32_t connections)
{
    return kDescriptorsAside + kDescriptorsPerConnection * connections;
}

} // namespace sallyport::gatekeeper
