#include "bind_plan.hpp"

#include <algorithm>
#include <limits>

namespace sallyport::gatekeeper {

namespace {

Path path_of(const config::Bind& bind, const Rights& rights)
{
    if (is_inherited(bind)) return Path::inherited;
    const std::uint16_t port = port_of(bind);
    const bool low = port != 0 && port < rights.unprivileged_from;
    return low && rights.net_bind_service ? Path::capability : Path::plain;
}

PlannedListener plan(const config::Bind& bind, unsigned shards, const Rights& rights)
{
    const bool shared = port_of(bind) == 0;
    return {.bind = bind, .path = path_of(bind, rights), .shared = shared, .count = shared ? 1 : shards};
}

} // namespace

std::string_view name(Path path)
{
    switch (path) {
    case Path::plain:
        return "plain";
    case Path::capability:
        return "capability";
    case Path::inherited:
        return "inherited";
    }
    return "plain";
}

std::vector<PlannedListener> plan_binds(const std::vector<config::Listener>& listeners, unsigned shards,
                                        const Rights& rights)
{
    std::vector<PlannedListener> planned;
    for (const config::Listener& listener : listeners)
        planned.push_back(plan(listener.bind, shards, rights));
    return planned;
}

bool is_inherited(const config::Bind& bind)
{
    return std::holds_alternative<config::InheritedFd>(bind.where) ||
           std::holds_alternative<config::SystemdName>(bind.where);
}

std::uint16_t port_of(const config::Bind& bind)
{
    if (const auto* any = std::get_if<config::AnyAddress>(&bind.where)) return any->port;
    if (const auto* address = std::get_if<SocketAddress>(&bind.where)) return address->port();
    return 0;
}

std::uint16_t lowest_port(const std::vector<PlannedListener>& planned)
{
    std::uint16_t lowest = std::numeric_limits<std::uint16_t>::max();
    for (const PlannedListener& listener : planned)
        if (const std::uint16_t port = port_of(listener.bind); port != 0) lowest = std::min(lowest, port);
    return lowest;
}

} // namespace sallyport::gatekeeper
