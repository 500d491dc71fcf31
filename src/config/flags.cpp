#include "flags.hpp"

#include <array>
#include <regex>

namespace sallyport::config {

std::span<const Flag> flags()
{
    static constexpr std::array kFlags{
        Flag{"listen", "ADDRESS", "listeners.bind"},
        Flag{"to", "ADDRESS", "upstreams.address"},
        Flag{"cert", "FILE", "listeners.tls.certificates.cert"},
        Flag{"key", "FILE", "listeners.tls.certificates.key"},
        Flag{"passphrase", "PLACE", "listeners.tls.certificates.passphrase"},
        Flag{"self-signed", "NAMES", "listeners.tls.self_signed", true},
        Flag{"mode", "MODE", "listeners.mode"},
        Flag{"shards", "N", "shards"},
        Flag{"log-level", "LEVEL", "log.level"},
        Flag{"log-format", "FORMAT", "log.format"},
        Flag{"keys", "PLACE", "keys"},
        Flag{"sandbox", "LEVEL", "sandbox.level"},
        Flag{"drain-delay", "TIME", "drain.delay"},
        Flag{"drain-timeout", "TIME", "drain.timeout"},
        Flag{"wait-for-upstream", "TIME", "startup.wait_for_upstream"},
        Flag{"admin", "ADDRESS", "admin.bind"},
        Flag{"max-connections", "N", "limits.max_connections"},
        Flag{"app-uid", "UID", "app.uid"},
        Flag{"app-gid", "GID", "app.gid"},
        Flag{"app-restart", "POLICY", "app.restart"},
        Flag{"app-start-timeout", "TIME", "app.start_timeout"},
        Flag{"app-stop-signal", "NAME", "app.stop_signal"},
        Flag{"app-stop-timeout", "TIME", "app.stop_timeout"},
    };
    return kFlags;
}

std::string variable_of(std::string_view flag)
{
    std::string variable = "SALLYPORT_";
    for (const char c : flag)
        variable += c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
    return variable;
}

bool is_service_link(std::string_view variable)
{
    static const std::regex kServiceLink{
        "SALLYPORT_(.+_)?(SERVICE_(HOST|PORT(_.+)?)|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"};
    return std::regex_match(variable.begin(), variable.end(), kServiceLink);
}

} // namespace sallyport::config
