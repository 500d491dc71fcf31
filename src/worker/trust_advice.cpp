#include "trust_advice.hpp"

#include <set>

#include "sallyport/log/log.hpp"
#include "sallyport/site/trust_advice.hpp"

namespace sallyport::worker {

namespace {

bool says_x_forwarded(const ipc::Listener& listener)
{
    const ipc::ForwardedForm form = listener.site.forwarded;
    return listener.mode == ipc::Mode::http &&
           (form == ipc::ForwardedForm::x_forwarded || form == ipc::ForwardedForm::both);
}

site::AppSees seen_by(const ipc::AppAddress& app)
{
    return app.host.empty() ? site::app_sees(app.address) : site::AppSees::network;
}

} // namespace

void log_trust_advice(const Settings& settings)
{
    std::set<std::uint32_t> told;
    for (const ReceivedListener& listener : settings.listeners) {
        if (!says_x_forwarded(listener.settings)) continue;
        if (listener.settings.site.otherwise == ipc::Otherwise::forward) told.insert(listener.settings.upstream);
        for (const ipc::Route& route : listener.routes)
            told.insert(route.upstream);
    }
    for (const std::uint32_t index : told) {
        const ipc::Upstream& app = settings.upstreams.at(index);
        if (app.addresses.empty()) continue;
        const site::TrustAdvice& advice = site::trust_advice(seen_by(app.addresses.front()));
        log::info("what makes the app believe our forwarding fields", {{"upstream", app.name},
                                                                       {"uvicorn", advice.uvicorn},
                                                                       {"gunicorn", advice.gunicorn},
                                                                       {"django", advice.django},
                                                                       {"express", advice.express}});
    }
}

} // namespace sallyport::worker
