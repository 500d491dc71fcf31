#include "name.hpp"

#include <algorithm>

#include "resolver.hpp"
#include "sallyport/log/log.hpp"
#include "targets.hpp"

namespace sallyport::upstream {

namespace {

constexpr net::Tick kMsPerSecond = 1000;
/// The longest pause after failures: an app that has just got its name is to be found soon.
constexpr net::Tick kPauseMax = 10'000;

} // namespace

Name::Name(const ipc::AppAddress& app, std::size_t entry, Targets& targets, std::string_view upstream,
           net::EventLoop& loop)
    : host_{app.host}, port_{app.port}, entry_{entry}, targets_{targets}, upstream_{upstream}, loop_{loop}
{
}

void Name::start(Resolver& resolver)
{
    resolver_ = &resolver;
    ask();
}

void Name::hurry()
{
    if (resolver_ != nullptr && !asked_ && loop_.now() >= rests_until_) ask();
}

void Name::ask()
{
    asked_ = true;
    resolver_->ask(*this, host_);
}

void Name::answered(std::vector<SocketAddress> addresses, std::uint32_t ttl_s)
{
    asked_ = false;
    if (failures_ > 0) log::info("the app's name is known again", {{"upstream", upstream_}, {"name", host_}});
    failures_ = 0;
    for (SocketAddress& address : addresses)
        address = address.with_port(port_);
    const ipc::NameService& settings = resolver_->settings();
    loop_.arm(*this,
              loop_.now() + std::clamp<net::Tick>(ttl_s * kMsPerSecond, settings.min_ttl_ms, settings.max_ttl_ms));
    targets_.answered(entry_, addresses);
}

void Name::failed(std::string_view reason)
{
    asked_ = false;
    if (failures_ == 0)
        log::warn("the app's name cannot be looked up; it stays at its last addresses, if it had any",
                  {{"upstream", upstream_}, {"name", host_}, {"reason", reason}});
    constexpr std::uint32_t kDoublings = 5;
    const net::Tick least = resolver_->settings().min_ttl_ms;
    const net::Tick pause = std::max(least, std::min(least << std::min(failures_, kDoublings), kPauseMax));
    ++failures_;
    rests_until_ = loop_.now() + least;
    loop_.arm(*this, loop_.now() + pause);
    targets_.unanswered();
}

} // namespace sallyport::upstream
