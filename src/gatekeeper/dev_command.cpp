#include "dev_command.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "authority_files.hpp"
#include "bind_plan.hpp"
#include "sallyport/sys/bind_facts.hpp"
#include "sallyport/sys/capabilities.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "trust.hpp"

namespace sallyport::gatekeeper {

namespace {

/// Those that are tried before the kernel chooses.
constexpr std::array<std::uint16_t, 2> kPorts{443, 8443};

void say(const std::string& text)
{
    std::fputs(text.c_str(), stderr);
}

ExitCode tell(const TrustReport& report)
{
    for (const std::string& line : report.lines)
        say("sallyport: " + line + "\n");
    if (report.lines.empty()) say("sallyport: nothing to do\n");
    return report.complete ? ExitCode::ok : ExitCode::failure;
}

/// Nothing: that address is taken, or not ours to take. Tries it, so that what follows may still fail.
std::optional<std::uint16_t> free_port(const std::string& host, std::uint16_t port)
{
    const auto address = SocketAddress::parse(host + ":1").value().with_port(port);
    const sys::RaisedNetBindService raised;
    const Result<UniqueFd> socket = sys::listen_tcp(address, false);
    if (!socket) return std::nullopt;
    const auto bound = sys::local_address(socket->get());
    return bound ? std::optional{bound->port()} : std::nullopt;
}

std::uint16_t choose_port(bool has_ipv6)
{
    const auto is_free = [&](std::uint16_t port) {
        return free_port("127.0.0.1", port) && (!has_ipv6 || free_port("[::1]", port));
    };
    for (const std::uint16_t port : kPorts)
        if (is_free(port)) return port;
    for (int attempt = 0; attempt < 100; ++attempt)
        if (const auto port = free_port("127.0.0.1", 0); port && is_free(*port)) return *port;
    throw StartError{ExitCode::unavailable, "no port of loopback is free"};
}

/// Every listener shows all of these; the authority's files travel to the keyholder unread.
void use_authority(Settings& settings, const DevPlan& plan, const AuthorityFiles& files)
{
    settings.sources.clear();
    std::vector<std::uint32_t> indexes;
    for (const auto& names : plan.certificates) {
        indexes.push_back(static_cast<std::uint32_t>(settings.sources.size()));
        settings.sources.push_back({.label = "dev " + names.front(),
                                    .certificate = {files.certificate, true},
                                    .key = {files.key, true},
                                    .passphrase = {},
                                    .self_signed_names = names});
    }
    for (ipc::Listener& listener : settings.listeners)
        listener.tls.certificates = indexes;
}

ExitCode serve(const config::DevOrder& order, const AuthorityFiles& files, Secrets secrets, const DevHelp& help)
{
    const DevPlan plan = dev_plan(order);
    const bool has_ipv6 = free_port("[::1]", 0).has_value();
    const std::uint16_t port = help.has_listen ? 0 : choose_port(has_ipv6);
    const config::Config config = dev_config(plan, help.load, port, has_ipv6);
    OpenAuthority open = open_authority(files);
    secrets.texts.insert_or_assign(files.key, std::move(open.key));
    secrets.texts.insert_or_assign(files.certificate, std::move(open.certificate));
    say(dev_greeting(plan, port_of(config.listeners.front().bind)) +
        "If a browser warns of it: sallyport dev --trust\n");
    return help.serve(config, std::move(secrets), [&](Settings& settings) { use_authority(settings, plan, files); });
}

} // namespace

ExitCode dev(const config::DevOrder& order, Secrets secrets, const DevHelp& help)
{
    const char* home = std::getenv("HOME");
    const AuthorityFiles files = authority_files(std::getenv("XDG_DATA_HOME"), home);
    if (order.untrust) return tell(remove_trust(home != nullptr ? home : ""));
    ensure_authority(files, help.executables);
    if (order.trust) {
        const ExitCode trusted = tell(install_trust(files.certificate, home != nullptr ? home : ""));
        if (order.to.empty()) return trusted;
    }
    return serve(order, files, std::move(secrets), help);
}

} // namespace sallyport::gatekeeper
