#include "bypass.hpp"

#include <algorithm>
#include <utility>

#include <sys/stat.h>

#include "sallyport/audit/mend.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/bind_facts.hpp"

namespace sallyport::gatekeeper {

namespace {

bool is_here(const SocketAddress& app, const std::vector<SocketAddress>& addresses)
{
    return std::ranges::any_of(addresses, [&](const SocketAddress& own) { return own.with_port(app.port()) == app; });
}

/// A socket of "::" may serve IPv4 as well: /proc does not tell.
bool holds(const SocketAddress& listening, const SocketAddress& app)
{
    return listening.is_any() && (listening.family() == app.family() || listening.family() == AF_INET6);
}

bool is_exposed(const SocketAddress& app, const SocketAddress& listening, const std::vector<SocketAddress>& addresses)
{
    if (app.is_unix() || app.port() != listening.port()) return false;
    if (app.is_loopback()) return !listening.is_loopback();
    return app == listening || (holds(listening, app) && is_here(app, addresses));
}

} // namespace

std::set<Exposure> exposures(const std::vector<ipc::Upstream>& upstreams, const Neighbourhood& around,
                             const std::set<std::uint64_t>& ours)
{
    std::set<Exposure> found;
    for (const ipc::Upstream& upstream : upstreams)
        for (const ListeningSocket& socket : around.listening)
            if (is_exposed(upstream.address, socket.address, around.addresses) && !ours.contains(socket.inode))
                found.insert({.upstream = upstream.name, .listens_on = socket.address.text()});
    return found;
}

std::set<std::uint64_t> inodes_of(const std::vector<BoundListener>& listeners)
{
    std::set<std::uint64_t> inodes;
    for (const BoundListener& listener : listeners)
        for (const UniqueFd& socket : listener.sockets) {
            struct stat file{};
            if (::fstat(socket.get(), &file) == 0) inodes.insert(file.st_ino);
        }
    return inodes;
}

BypassWatch::BypassWatch(std::vector<ipc::Upstream> upstreams, std::set<std::uint64_t> ours, bool strict, Look look)
    : upstreams_{std::move(upstreams)},
      ours_{std::move(ours)},
      strict_{strict},
      look_{std::move(look)},
      remedy_{audit::mend(audit::Guard::bypass, sys::collect_bind_facts().runtime)}
{
    const auto is_tcp = [](const ipc::Upstream& upstream) { return !upstream.address.is_unix(); };
    if (!strict_) due_ = Clock::now() + kFirst;
    if (std::ranges::none_of(upstreams_, is_tcp)) due_ = TimePoint::max();
}

bool BypassWatch::forbids(TimePoint now)
{
    if (now >= due_ && due_ != TimePoint::max()) {
        due_ = now + kPeriod;
        if (const auto around = look_()) {
            blind_ = false;
            note(exposures(upstreams_, *around, ours_));
        } else {
            if (!std::exchange(blind_, true))
                log::warn("not known who can reach the apps", {{"reason", "/proc/net/tcp cannot be read"}});
        }
    }
    return strict_ && !known_.empty();
}

void BypassWatch::look_again()
{
    if (due_ != TimePoint::max()) due_ = {};
}

void BypassWatch::note(const std::set<Exposure>& found)
{
    for (const Exposure& one : found)
        if (!known_.contains(one))
            log::warn("app reachable past us",
                      {{"upstream", one.upstream}, {"listens_on", one.listens_on}, {"remedy", remedy_}});
    for (const Exposure& one : known_)
        if (!found.contains(one))
            log::info("app no longer reachable past us", {{"upstream", one.upstream}, {"listened_on", one.listens_on}});
    known_ = found;
}

std::string BypassWatch::reason() const
{
    if (known_.empty()) return {};
    const Exposure& first = *known_.begin();
    return "the app of upstream " + first.upstream + " listens on " + first.listens_on +
           ", where others reach it past TLS, and bypass.strict is set; " + remedy_;
}

} // namespace sallyport::gatekeeper
