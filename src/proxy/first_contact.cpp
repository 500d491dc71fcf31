#include "first_contact.hpp"

#include <algorithm>
#include <utility>

#include "connection.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::proxy {

FirstContact::FirstContact(Plan plan, net::EventLoop& loop, upstream::Upstreams& apps)
    : plan_{std::move(plan)}, loop_{loop}, apps_{apps}
{
}

void FirstContact::begin()
{
    over_ = false;
    limit_ = loop_.now() + plan_.limit_ms;
    log::info("waiting for the apps", {{"limit_ms", plan_.limit_ms}});
    run();
}

void FirstContact::cancel()
{
    cancelled_ = true;
    if (attempt_ != nullptr) resume_all(attempt_->cancel());
}

void FirstContact::expired()
{
    if (attempt_ != nullptr) resume_all(attempt_->cancel());
}

void FirstContact::let_in()
{
    if (!std::exchange(has_let_in_, true)) plan_.let_in();
}

net::Detached FirstContact::run()
{
    for (std::size_t app = 0; app < plan_.apps && !cancelled_; ++app) {
        const bool reached = co_await reach(app);
        if (!reached) break;
    }
    over_ = true;
    if (!cancelled_) {
        log::info("the apps accept", {{"waited_ms", loop_.now() + plan_.limit_ms - limit_}});
        let_in();
        plan_.met();
    }
    plan_.ended();
}

/// False: cancelled.
net::Task<bool> FirstContact::reach(std::size_t app)
{
    while (!cancelled_) {
        const bool reached = co_await try_once(app);
        if (reached) co_return true;
        if (cancelled_) break;
        if (loop_.now() >= limit_ && !has_let_in_) {
            let_in();
            log::warn("an app does not accept yet; clients are let in all the same",
                      {{"upstream", apps_.at(app).name()}, {"waited_ms", plan_.limit_ms}});
        }
        net::Sleep pause{loop_, kPause};
        co_await pause;
    }
    co_return false;
}

net::Task<bool> FirstContact::try_once(std::size_t app)
{
    const net::Tick latest = loop_.now() + plan_.connect_ms;
    loop_.arm(*this, has_let_in_ ? latest : std::min(latest, std::max(limit_, loop_.now() + kPause)));
    upstream::Attempt attempt;
    attempt_ = &attempt;
    auto connected = co_await apps_.at(app).connect(attempt);
    attempt_ = nullptr;
    loop_.wheel().disarm(*this);
    if (!connected) co_return false;
    apps_.at(app).give_back(std::move(*connected));
    co_return true;
}

} // namespace sallyport::proxy
