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

/// Whether others could reach it past us at all. An app that has a name is not on this machine, or not meant to be.
bool is_local_tcp(const ipc::AppAddress& app)
{
    return app.host.empty() && !app.address.is_unix();
}

bool can_be_exposed(const std::vector<ipc::Upstream>& upstreams)
{
    return std::ranges::any_of(
        upstreams, [](const ipc::Upstream& upstream) { return std::ranges::any_of(upstream.addresses, is_local_tcp); });
}

bool is_exposed(const ipc::AppAddress& place, const SocketAddress& listening,
                const std::vector<SocketAddress>& addresses)
{
    const SocketAddress& app = place.address;
    if (!is_local_tcp(place) || app.port() != listening.port()) return false;
    if (app.is_loopback()) return !listening.is_loopback();
    return app == listening || (holds(listening, app) && is_here(app, addresses));
}

} // namespace

std::set<Exposure> exposures(const std::vector<ipc::Upstream>& upstreams, const Neighbourhood& around,
                             const std::set<std::uint64_t>& ours)
{
    std::set<Exposure> found;
    for (const ipc::Upstream& upstream : upstreams)
        for (const ipc::AppAddress& app : upstream.addresses)
            for (const ListeningSocket& socket : around.listening)
                if (is_exposed(app, socket.address, around.addresses) && !ours.contains(socket.inode))
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
    if (!strict_) due_ = Clock::now() + kFirst;
    if (!can_be_exposed(upstreams_)) due_ = TimePoint::max();
}

void BypassWatch::watch(std::vector<ipc::Upstream> upstreams, std::set<std::uint64_t> ours, bool strict)
{
    upstreams_ = std::move(upstreams);
    ours_ = std::move(ours);
    strict_ = strict;
    due_ = can_be_exposed(upstreams_) ? TimePoint{} : TimePoint::max();
    if (due_ == TimePoint::max()) note({});
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
    return sentence(known_);
}

std::string BypassWatch::objection(const std::vector<ipc::Upstream>& upstreams,
                                   const std::set<std::uint64_t>& ours) const
{
    const auto around = look_();
    return around ? sentence(exposures(upstreams, *around, ours)) : std::string{};
}

std::string BypassWatch::sentence(const std::set<Exposure>& found) const
{
    if (found.empty()) return {};
    const Exposure& first = *found.begin();
    return "the app of upstream " + first.upstream + " listens on " + first.listens_on +
           ", where others reach it past TLS, and bypass.strict is set; " + remedy_;
}

} // namespace sallyport::gatekeeper
