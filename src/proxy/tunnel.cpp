#include "tunnel.hpp"

#include <utility>

#include "frame_guard.hpp"
#include "pump.hpp"

namespace sallyport::proxy {

namespace {

net::Task<void> app_to_client(Exchange& x, FrameGuard* guard)
{
    const Flow flow{*x.app, x.client, x.account.to_client, false, guard};
    bool ended = co_await send_held(x, flow); // the 101's head
    if (ended) ended = co_await pump(x, flow);
    if (ended) {
        x.app_finished = true;
        x.client.end_tunnel();
    } else {
        x.stop(x.reason());
    }
}

} // namespace

void begin_tunnel(Exchange& x)
{
    x.client.begin_tunnel();
    x.app->begin_tunnel();
    x.enter(Phase::tunnel, x.connection.http().tunnel_idle_ms);
}

net::Task<void> tunnel(Exchange& x)
{
    FrameGuard guard;
    const bool websocket = http::is_websocket(x.request.upgrade);
    if (websocket) x.guard = &guard;
    if (x.shard().draining()) x.drain();

    auto back = app_to_client(x, x.guard);
    back.start();
    const bool ended = co_await pump(x, {x.client, *x.app, x.account.from_client, true});
    if (ended)
        x.app->end_tunnel();
    else
        x.stop(x.reason());
    co_await std::move(back);
    x.guard = nullptr;
}

} // namespace sallyport::proxy
