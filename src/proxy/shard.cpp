#include "sallyport/proxy/shard.hpp"

#include <algorithm>
#include <utility>

#include "accept_loop.hpp"
#include "connection.hpp"
#include "first_contact.hpp"
#include "http2_apps.hpp"
#include "roster.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/tls/remote_key.hpp"
#include "workbench.hpp"

namespace sallyport::proxy {

namespace {

constexpr std::uint64_t kWindowMax = (1ULL << 31) - 1; // RFC 9113 §6.9.1

/// Many clients share a connection: one that does not read must not use up what the others need, so each stream has its
/// whole window.
http2::Options options_towards_apps(const http::Limits& limits, const ipc::HttpLimits& http)
{
    http2::Options options{.limits = limits, .stream_window = http.stream_window};
    const std::uint64_t of_all = std::uint64_t{options.streams_max} * options.stream_window;
    options.connection_window =
        static_cast<std::uint32_t>(std::min(std::max<std::uint64_t>(of_all, http.connection_window), kWindowMax));
    return options;
}

} // namespace

Shard::Shard(Plan plan, tls::SignChannel& keys, metrics::ShardFigures& figures)
    : limits_{plan.limits},
      listeners_{std::move(plan.listeners)},
      keys_{keys},
      figures_{figures},
      bench_{std::make_unique<Workbench>(plan.limits, plan.access, figures.traffic)},
      upstreams_{plan.apps.settings, plan.apps.shard, std::move(plan.apps.names), loop_, bench_->budget},
      http2_apps_(plan.apps.settings.upstreams.size()),
      roster_{std::make_unique<Roster>(loop_, plan.limits.connections_max)},
      pass_on_{std::move(plan.pass_on)},
      wait_ms_{plan.wait_ms},
      waits_{plan.wait_ms != 0}
{
    try_watching();
}

Shard::~Shard() = default;

// What the kernel refuses is to be known while the worker can still be refused for it.
void Shard::try_watching()
{
    for (const Listener& listener : listeners_) {
        net::Watch watch;
        const auto watched = loop_.poller().watch_listener(listener.fd.get(), watch, listener.shared);
        if (!watched)
            throw StartError{ExitCode::os_error,
                             "watching the listener " + listener.bind + ": " + watched.error().cause.message()};
        loop_.poller().forget(listener.fd.get(), watch);
    }
}

void Shard::begin()
{
    loop_.post([this] {
        SALLYPORT_ASSERT(!draining_);
        runs_ = true;
        upstreams_.start();
        if (first_contact_) first_contact_->begin();
        if (!waits_) begin_accepting();
    });
}

void Shard::run()
{
    tls::use_sign_channel(&keys_);
    loop_.run();
    tls::use_sign_channel(nullptr);
}

void Shard::begin_accepting()
{
    accept_loops_ = listeners_.size();
    for (Listener& listener : listeners_)
        accept_loop(*this, listener);
}

void Shard::meet_apps(std::function<void()> let_in, std::function<void()> met)
{
    first_contact_ = std::make_unique<FirstContact>(FirstContact::Plan{.apps = http2_apps_.size(),
                                                                       .connect_ms = limits_.connect_ms,
                                                                       .limit_ms = wait_ms_,
                                                                       .let_in = std::move(let_in),
                                                                       .met = std::move(met),
                                                                       .ended = [this] { end_if_drained(); }},
                                                    loop_, upstreams_);
}

void Shard::let_in()
{
    loop_.post([this] {
        if (std::exchange(waits_, false) && runs_ && !draining_) begin_accepting();
    });
}

void Shard::use_contexts(Contexts contexts, std::function<void()> done)
{
    auto shared = std::make_shared<Contexts>(std::move(contexts));
    loop_.post([this, shared, done = std::move(done)] {
        for (std::size_t i = 0; i < listeners_.size(); ++i)
            if (listeners_[i].contexts) *listeners_[i].contexts = *std::move((*shared)[i]); // connections point there
        done();
    });
}

void Shard::use_tickets(std::shared_ptr<const tls::Credentials> credentials)
{
    loop_.post([this, credentials = std::move(credentials)] {
        for (Listener& listener : listeners_)
            if (listener.contexts) listener.contexts->use_tickets(credentials->tickets);
    });
}

void Shard::drain(const ipc::Drain& order)
{
    loop_.post([this, order] { obey(order); });
}

std::uint64_t Shard::finished() const
{
    std::uint64_t ended = 0;
    for (const auto& slot : figures_.ended)
        ended += slot.read();
    return ended - figures_.ended[metrics::slot_of(metrics::End::cut)].read();
}

ipc::Drained Shard::drained() const
{
    return {.finished = finished() - finished_before_,
            .cut = figures_.ended[metrics::slot_of(metrics::End::cut)].read()};
}

Http2Apps& Shard::http2_apps(std::size_t index)
{
    auto& apps = http2_apps_.at(index);
    if (!apps) {
        const http2::Options options = options_towards_apps(bench_->http_limits, limits_.http);
        apps = std::make_unique<Http2Apps>(Http2Apps::Surroundings{
            loop_, bench_->scratch, bench_->budget, bench_->spare_app_streams, options, upstream(index)});
        if (draining_) apps->keep_no_more();
    }
    return *apps;
}

void Shard::obey(const ipc::Drain& order)
{
    const net::Tick cut_at = loop_.now() + order.timeout_ms;
    if (order.timeout_ms != 0 && (!cut_at_ || cut_at < *cut_at_)) {
        cut_at_ = cut_at;
        loop_.arm(drain_deadline_, cut_at);
    }
    replaced_ = order.replaced;
    if (!draining_) begin_drain();
    roster_->for_each([](Connection& connection) { connection.drain(); });
    end_if_drained();
}

void Shard::begin_drain()
{
    draining_ = true;
    finished_before_ = finished();
    upstreams_.keep_no_more();
    if (first_contact_) first_contact_->cancel();
    for (const auto& apps : http2_apps_)
        if (apps) apps->keep_no_more();
    // Each loop empties its queue, and takes itself off this list when it ends.
    const auto watches = listener_watches_;
    for (net::Watch* watch : watches)
        resume_all(watch->cancel());
    roster_->wake_waiting();
}

void Shard::look_again()
{
    loop_.post([this] {
        const auto watches = listener_watches_;
        for (net::Watch* watch : watches)
            resume_all(watch->wake());
    });
}

// The kernel tells of a client in a shared queue one of those who watch it, and once (EPOLLEXCLUSIVE): whoever can take
// nobody must not be that one. True: nor will it ever be, as another generation takes them.
bool Shard::leave_queue(const Listener& listener, net::Watch& watch, bool told)
{
    if (!listener.shared) return false;
    loop_.poller().forget(listener.fd.get(), watch);
    if (told && pass_on_) pass_on_();
    return replaced_;
}

void Shard::end_accepting(Listener& listener, net::Watch& watch)
{
    std::erase(listener_watches_, &watch);
    loop_.poller().forget(listener.fd.get(), watch);
    listener.fd.reset();
    --accept_loops_;
    end_if_drained();
}

void Shard::end_if_drained()
{
    const bool waits_for_apps = first_contact_ && !first_contact_->is_over();
    if (draining_ && accept_loops_ == 0 && roster_->empty() && !waits_for_apps) loop_.stop();
}

// A cut ends its own connection and no other; one that waits for its turn ends when that comes.
void Shard::cut_connections()
{
    cutting_ = true;
    roster_->for_each([](Connection& connection) { connection.cut(); });
    end_if_drained();
}

void Shard::enlist(Connection& connection)
{
    roster_->enlist(connection);
}

void Shard::dismiss(Connection& connection)
{
    roster_->dismiss(connection);
    end_if_drained();
}

} // namespace sallyport::proxy
