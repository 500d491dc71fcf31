#include "names.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr std::string_view kResolvConf = "/etc/resolv.conf";
constexpr std::string_view kHosts = "/etc/hosts";
constexpr std::uint16_t kDnsPort = 53;
// As the C library bounds them (resolv.conf(5)), but for the servers, of which it takes three.
constexpr std::size_t kServersMax = 8;
constexpr std::size_t kSearchMax = 32;
constexpr std::uint32_t kNdotsMax = 15;
constexpr std::uint32_t kAttemptsMax = 5;
constexpr std::uint32_t kAttempts = 2;
constexpr std::size_t kDomainMax = 253;
/// Of one upstream: what fits into its message.
constexpr std::size_t kAddressesMax = 1024;

std::optional<SocketAddress> address_of(std::string_view host, std::uint16_t port)
{
    const bool is_ipv6 = host.find(':') != std::string_view::npos;
    return SocketAddress::parse((is_ipv6 ? "[" + std::string{host} + "]:" : std::string{host} + ":") +
                                std::to_string(port));
}

/// The line up to a comment, with blanks only.
std::string uncommented(std::string_view line, std::string_view marks)
{
    std::string text{line.substr(0, line.find_first_of(marks))};
    std::ranges::replace(text, '\r', ' ');
    return text;
}

void add_server(ipc::NameService& service, std::string_view text)
{
    const auto server = address_of(text, kDnsPort);
    if (!server)
        log::warn("a name server is passed over", {{"file", kResolvConf}, {"server", text}, {"reason", "no address"}});
    else if (service.servers.size() < kServersMax)
        service.servers.push_back(*server);
}

void set_search(ipc::NameService& service, std::string_view domains)
{
    service.search.clear();
    while (!domains.empty() && service.search.size() < kSearchMax) {
        std::string_view domain = sys::take_word(domains);
        if (domain.ends_with('.')) domain.remove_suffix(1);
        if (!domain.empty() && domain.size() <= kDomainMax) service.search.emplace_back(domain);
    }
}

void set_options(ipc::NameService& service, std::string_view options)
{
    while (!options.empty()) {
        const std::string_view option = sys::take_word(options);
        const std::size_t colon = std::min(option.find(':'), option.size() - 1);
        const auto number = sys::parse_number<std::uint32_t>(option.substr(colon + 1));
        if (number && option.starts_with("ndots:")) service.ndots = std::min(*number, kNdotsMax);
        if (number && option.starts_with("attempts:")) service.attempts = std::clamp(*number, 1U, kAttemptsMax);
    }
}

std::uint32_t milliseconds(config::Millis time)
{
    constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min<config::Millis::rep>(time.count(), kMost));
}

bool is_same_name(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (a.ends_with('.')) a.remove_suffix(1);
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool names_host(std::string_view words, std::string_view name)
{
    while (!words.empty())
        if (is_same_name(name, sys::take_word(words))) return true;
    return false;
}

/// Whether a name is left that the file does not have.
bool take_hosts(ipc::Upstream& upstream, std::string_view hosts)
{
    bool is_name_left = false;
    std::vector<ipc::AppAddress> all;
    for (ipc::AppAddress& app : upstream.addresses) {
        const auto known =
            app.host.empty() ? std::vector<SocketAddress>{} : addresses_in_hosts(hosts, app.host, app.port);
        for (const SocketAddress& address : known)
            all.push_back({.host = {}, .port = {}, .address = address});
        if (!known.empty()) continue;
        is_name_left = is_name_left || !app.host.empty();
        all.push_back(std::move(app));
    }
    all.resize(std::min(all.size(), kAddressesMax));
    upstream.addresses = std::move(all);
    return is_name_left;
}

} // namespace

ipc::NameService name_service_of(const config::Dns& dns, std::string_view resolv_conf)
{
    ipc::NameService service{.servers = {},
                             .search = {},
                             .ndots = 1,
                             .attempts = kAttempts,
                             .timeout_ms = milliseconds(dns.timeout),
                             .min_ttl_ms = milliseconds(dns.min_ttl),
                             .max_ttl_ms = milliseconds(dns.max_ttl)};
    while (!resolv_conf.empty()) {
        const std::string line = uncommented(sys::take_line(resolv_conf), "#;");
        std::string_view rest = line;
        const std::string_view keyword = sys::take_word(rest);
        if (keyword == "nameserver" && dns.servers.empty()) add_server(service, sys::take_word(rest));
        if (keyword == "search" || keyword == "domain") set_search(service, rest);
        if (keyword == "options") set_options(service, rest);
    }
    if (!dns.servers.empty()) service.servers = dns.servers;
    if (service.servers.empty()) service.servers.push_back(*address_of("127.0.0.1", kDnsPort));
    return service;
}

std::vector<SocketAddress> addresses_in_hosts(std::string_view hosts, std::string_view name, std::uint16_t port)
{
    std::vector<SocketAddress> found;
    while (!hosts.empty()) {
        const std::string line = uncommented(sys::take_line(hosts), "#");
        std::string_view rest = line;
        const std::string_view host = sys::take_word(rest);
        if (host.empty() || !names_host(rest, name)) continue;
        const auto address = address_of(host, port);
        if (address && std::ranges::find(found, *address) == found.end()) found.push_back(*address);
    }
    return found;
}

void take_names(Settings& settings, const config::Dns& dns, const sys::ReadText& read)
{
    const auto is_named = [](const ipc::Upstream& upstream) {
        return std::ranges::any_of(upstream.addresses, [](const ipc::AppAddress& app) { return !app.host.empty(); });
    };
    if (std::ranges::none_of(settings.upstreams, is_named)) return;
    const std::string hosts = read(std::string{kHosts}).value_or("");
    bool is_name_left = false;
    for (ipc::Upstream& upstream : settings.upstreams)
        is_name_left = take_hosts(upstream, hosts) || is_name_left;
    if (is_name_left) settings.names = name_service_of(dns, read(std::string{kResolvConf}).value_or(""));
}

} // namespace sallyport::gatekeeper
