#include "sallyport/upstream/upstream.hpp"

#include <algorithm>
#include <utility>

#include "pool.hpp"
#include "resolver.hpp"
#include "sallyport/net/connect.hpp"
#include "targets.hpp"

namespace sallyport::upstream {

namespace {

/// The least time that one of several addresses has: a packet is sent anew after a second (RFC 6298), but an app that
/// answers at all does within this.
constexpr std::uint32_t kShareMin = 250;

constexpr std::string_view kConnecting = "connecting to the app";

/// Another address would do no better.
bool is_our_own(const Error& error)
{
    return error.fault == Fault::over_limit;
}

} // namespace

Upstream::Upstream(const ipc::Upstream& settings, std::uint32_t connect_ms, unsigned shard, net::EventLoop& loop,
                   net::HoldBudget& budget)
    : settings_{settings},
      connect_ms_{connect_ms},
      loop_{loop},
      budget_{budget},
      pool_{std::make_unique<Pool>(settings.idle_ms, settings.idle_max, loop)},
      targets_{std::make_unique<Targets>(settings, shard, loop, *pool_)}
{
}

Upstream::~Upstream() = default;

void Upstream::start(Resolver& resolver)
{
    targets_->start(resolver);
}

AppConnectionPtr Upstream::take_idle()
{
    return pool_->take();
}

void Upstream::give_back(AppConnectionPtr connection, std::optional<std::uint32_t> announced_s)
{
    pool_->give_back(std::move(connection), announced_s);
}

bool Upstream::has_several_addresses() const
{
    return targets_->size() > 1;
}

bool Upstream::has_unused_address() const
{
    return targets_->have_unused();
}

void Upstream::keep_no_more()
{
    pool_->keep_no_more();
}

Result<void> Upstream::prepare(Attempt& attempt, Target& target)
{
    auto fd = net::make_socket(target.address);
    if (!fd) return std::unexpected{fd.error()};
    attempt.connecting_ = std::make_unique<AppConnection>(std::move(*fd), target, loop_, budget_);
    attempt.timed_out_ = false;
    if (const std::size_t count = targets_->size(); count > 1)
        loop_.arm(attempt, loop_.now() + std::max<net::Tick>(connect_ms_ / count, kShareMin));
    return {};
}

void Upstream::note_attempt(bool has_succeeded)
{
    latest_attempt_.store(loop_.now() * 2 + (has_succeeded ? 1 : 0), std::memory_order_relaxed);
}

net::Task<Result<AppConnectionPtr>> Upstream::connect(Attempt& attempt, Among among)
{
    const net::Tick began = loop_.now();
    if (targets_->empty()) targets_->hurry();
    while (targets_->are_awaited() && !attempt.cancelled())
        co_await Targets::Answer{*targets_, attempt};

    Error last{Fault::no_route, Side::upstream, "looking up the app's name"};
    Targets::Turn turn{*targets_, among};
    for (Target* target = turn.next(); target != nullptr && !attempt.cancelled(); target = turn.next()) {
        const Result<void> prepared = prepare(attempt, *target);
        if (prepared) {
            const Result<void> connected = co_await net::connect(attempt.connecting_->socket(), target->address, loop_);
            if (attempt.cancelled()) break;
            if (connected) co_return keep(attempt, *target);
            last = attempt.timed_out_ ? Error{Fault::timeout, Side::upstream, kConnecting} : connected.error();
        } else {
            last = prepared.error();
        }
        targets_->note_failure(*target, last);
        attempt.connecting_.reset();
        loop_.wheel().disarm(attempt); // the next one, which may now be the only one, has its own time
        if (is_our_own(last)) break;
    }
    attempt.connecting_.reset();
    const bool app_fails = !attempt.cancelled() || loop_.now() - began >= connect_ms_;
    if (app_fails && among == Among::all) note_attempt(false); // of others there are connections
    if (attempt.cancelled()) co_return fail(Fault::aborted, Side::self, kConnecting);
    co_return std::unexpected{last};
}

AppConnectionPtr Upstream::keep(Attempt& attempt, Target& target)
{
    loop_.wheel().disarm(attempt);
    note_attempt(true);
    targets_->note_success(target);
    return std::move(attempt.connecting_);
}

Upstreams::Upstreams(const Settings& settings, unsigned shard, NameChannel names, net::EventLoop& loop,
                     net::HoldBudget& budget)
{
    for (const ipc::Upstream& upstream : settings.upstreams)
        upstreams_.push_back(std::make_unique<Upstream>(upstream, settings.connect_ms, shard, loop, budget));
    if (settings.names) resolver_ = std::make_unique<Resolver>(std::move(names), *settings.names, loop);
}

Upstreams::~Upstreams() = default;

void Upstreams::start()
{
    if (!resolver_) return;
    for (const auto& upstream : upstreams_)
        upstream->start(*resolver_);
}

void Upstreams::keep_no_more()
{
    for (const auto& upstream : upstreams_)
        upstream->keep_no_more();
}

} // namespace sallyport::upstream
