#include "settings.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "pem_secrets.hpp"
#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/resources.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr std::uint64_t kDescriptorsAside = 200;
constexpr std::uint64_t kDescriptorsPerConnection = 2;
constexpr std::uint64_t kConnectionsMost = 10'000;

// The children cast these back: the two vocabularies must agree.
static_assert(static_cast<int>(config::LogLevel::debug) == static_cast<int>(log::Level::debug));
static_assert(static_cast<int>(config::LogLevel::none) == static_cast<int>(log::Level::none));
static_assert(static_cast<int>(config::LogFormat::plain) == static_cast<int>(log::Format::plain));
static_assert(static_cast<int>(config::AuditPlace::standard_output) == 0);
static_assert(static_cast<int>(config::AuditPlace::syslog) == static_cast<int>(log::AuditPlace::syslog));
static_assert(static_cast<int>(config::Keys::in_worker) == static_cast<int>(ipc::KeyPlace::in_worker));
static_assert(static_cast<int>(config::SandboxLevel::none) == static_cast<int>(ipc::SandboxLevel::none));
static_assert(static_cast<int>(config::Seccomp::none) == static_cast<int>(ipc::SeccompMode::none));
static_assert(static_cast<int>(config::Profile::modern) == static_cast<int>(ipc::TlsProfile::modern));

/// A deadline or a size as its message carries it: never 0, never wrapped.
template <typename T>
std::uint32_t bounded(T value)
{
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (value < 1) return 1;
    return static_cast<std::uint32_t>(std::min(static_cast<std::uint64_t>(value), kMost));
}

ipc::Limits limits_of(const config::Limits& limits, const Machine& machine)
{
    return {.connections_max = limits.max_connections.value_or(connections_that_fit(machine.descriptors)),
            .handshake_ms = bounded(limits.handshake_timeout.count()),
            .connect_ms = bounded(limits.connect_timeout.count()),
            .idle_ms = bounded(limits.idle_timeout.count()),
            .buffer_bytes_max = bounded(limits.buffers)};
}

ipc::Hello hello_of(const config::Config& config, const Machine& machine)
{
    return {.build_id = std::string{build_id()},
            .log = {.level = static_cast<std::uint8_t>(config.log.level),
                    .format = static_cast<std::uint8_t>(config.log.format),
                    .queue_lines = config.log.queue_lines,
                    .chain = {},
                    .audit = static_cast<std::uint8_t>(config.log.audit.place)},
            .sandbox = sandbox_of(config.sandbox),
            .key_place = static_cast<ipc::KeyPlace>(config.keys),
            .shards = shards_of(config, machine),
            .limits = limits_of(config.limits, machine)};
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

ipc::Listener listener_of(const config::Listener& listener, const config::Config& config, Settings& settings)
{
    const config::Tls& tls = listener.tls;
    const auto upstream = config.upstreams.find(listener.forward);
    if (upstream == config.upstreams.end())
        throw StartError{ExitCode::configuration, "listener " + listener.bind.text +
                                                      ": forward: no upstream is named '" + listener.forward + "'"};
    return {.bind = listener.bind.text,
            .shared = false,
            .upstream = static_cast<std::uint32_t>(std::distance(config.upstreams.begin(), upstream)),
            .tls = {.profile = static_cast<ipc::TlsProfile>(tls.profile),
                    .tickets = tls.session_tickets,
                    .ticket_lifetime_s = bounded(tls.ticket_lifetime.count()),
                    .alpn = tls.alpn,
                    .certificates = certificates_of(tls, settings.sources)}};
}

} // namespace

Settings settings_of(const config::Config& config, const Machine& machine)
{
    Settings settings;
    settings.hello = hello_of(config, machine);
    settings.drain_ms = bounded(config.drain.timeout.count());
    for (const auto& [name, upstream] : config.upstreams)
        settings.upstreams.push_back({.name = name, .address = upstream.address});
    for (const config::Listener& listener : config.listeners)
        settings.listeners.push_back(listener_of(listener, config, settings));
    return settings;
}

ipc::SandboxSettings sandbox_of(const config::Sandbox& sandbox)
{
    return {.level = static_cast<ipc::SandboxLevel>(sandbox.level),
            .seccomp = static_cast<ipc::SeccompMode>(sandbox.seccomp)};
}

std::uint16_t shards_of(const config::Config& config, const Machine& machine)
{
    const std::uint16_t wanted = config.shards.value_or(std::clamp<std::uint16_t>(machine.shards, 1, sys::kShardsMax));
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
