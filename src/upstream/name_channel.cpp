#include "sallyport/upstream/name_channel.hpp"

#include <array>
#include <string>

#include <ares.h>

#include "sallyport/base/start_error.hpp"

namespace sallyport::upstream {

namespace {

void must(int status, std::string_view doing)
{
    if (status != ARES_SUCCESS)
        throw StartError{ExitCode::os_error, "c-ares: " + std::string{doing} + ": " + ares_strerror(status)};
}

void set_servers(ares_channeldata* channel, const std::vector<SocketAddress>& servers)
{
    std::string list;
    for (const SocketAddress& server : servers)
        list += (list.empty() ? "" : ",") + server.text();
    must(ares_set_servers_ports_csv(channel, list.c_str()), "setting name servers");
}

/// Every option is set, so that nothing is taken from files and variables. Without a domain to search c-ares would ask
/// for the host's own.
NameChannel open_channel(const ipc::NameService& names)
{
    std::vector<std::string> search = names.search;
    if (search.empty()) search.emplace_back("invalid");
    std::vector<char*> domains;
    for (std::string& domain : search)
        domains.push_back(domain.data());
    std::array<char, 2> lookups{'b', '\0'};
    ares_options options{};
    options.flags = ARES_FLAG_NOALIASES | (names.search.empty() ? ARES_FLAG_NOSEARCH : 0);
    options.timeout = static_cast<int>(names.timeout_ms);
    options.tries = static_cast<int>(names.attempts);
    options.ndots = static_cast<int>(names.ndots);
    options.domains = domains.data();
    options.ndomains = static_cast<int>(domains.size());
    options.lookups = lookups.data();
    int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS |
                ARES_OPT_LOOKUPS | ARES_OPT_SERVERS | ARES_OPT_SORTLIST;
#ifdef ARES_OPT_QUERY_CACHE
    options.qcache_max_ttl = 0; // how long an answer is good is ours to say (max_ttl)
    given |= ARES_OPT_QUERY_CACHE;
#endif
    ares_channeldata* made = nullptr;
    must(ares_init_options(&made, &options, given), "starting");
    NameChannel channel{made};
    set_servers(made, names.servers);
    return channel;
}

} // namespace

void CloseNameChannel::operator()(ares_channeldata* channel) const
{
    ares_destroy(channel);
}

std::vector<NameChannel> open_name_channels(const ipc::NameService& names, std::size_t count)
{
    std::vector<NameChannel> channels;
    for (std::size_t i = 0; i < count; ++i)
        channels.push_back(open_channel(names));
    return channels;
}

} // namespace sallyport::upstream
