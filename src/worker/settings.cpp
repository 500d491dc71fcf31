#include "settings.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/metrics/figures.hpp"
#include "sallyport/tls/scratch.hpp"

namespace sallyport::worker {

namespace {

[[noreturn]] void refuse(const std::string& what)
{
    throw StartError{ExitCode::software, "the gatekeeper's message is not lawful: " + what};
}

struct Message {
    ipc::Bytes bytes;
    std::vector<UniqueFd> descriptors;
};

Message receive(sys::Channel& control)
{
    Message message{ipc::Bytes(ipc::kMessageMax), {}};
    auto received = control.receive(message.bytes);
    if (!received) refuse(std::string{received.error().doing});
    if (received->size == 0) throw StartError{ExitCode::unavailable, "the gatekeeper is gone"};
    message.bytes.resize(received->size);
    message.descriptors = std::move(received->descriptors);
    return message;
}

template <typename M>
M expect(const Message& message)
{
    auto decoded = ipc::decode<M>(message.bytes);
    if (!decoded) refuse("kind " + std::to_string(std::to_underlying(M::kKind)));
    return std::move(*decoded);
}

bool is_lawful(const ipc::ProxyProtocol& proxy)
{
    if (proxy.mode > ipc::ProxyHeader::required || proxy.versions > ipc::ProxyVersions::v2) return false;
    if (proxy.mode == ipc::ProxyHeader::none) return true;
    return proxy.timeout_ms > 0 && proxy.size_max > 0 && proxy.size_max <= tls::Scratch::kPlain;
}

sys::SharedMemory map_page(UniqueFd fd, bool is_writable, std::size_t size_min)
{
    auto mapped = sys::SharedMemory::map(std::move(fd), is_writable, size_min);
    if (!mapped) refuse("figures without their page: " + mapped.error().cause.message());
    return std::move(*mapped);
}

void take_figures(Settings& settings, Message message)
{
    constexpr std::size_t kOwn = 2;
    const std::size_t one = metrics::worker_page_size(1);
    if (message.descriptors.size() <= kOwn) refuse("figures without their pages");
    Pages& pages = settings.pages;
    pages.generation = expect<ipc::Figures>(message).generation;
    pages.house = map_page(std::move(message.descriptors[0]), false, sizeof(metrics::HouseFigures));
    pages.past = map_page(std::move(message.descriptors[1]), false, one);
    const std::size_t own = metrics::worker_page_size(settings.hello.shards);
    pages.own = map_page(std::move(message.descriptors[kOwn]), true, own);
    for (std::size_t i = kOwn + 1; i < message.descriptors.size(); ++i)
        pages.older.push_back(map_page(std::move(message.descriptors[i]), false, one));
}

void take_admin(Settings& settings, Message message)
{
    auto admin = expect<ipc::Admin>(message);
    if (message.descriptors.size() != 1) refuse("an admin endpoint without its socket");
    settings.admin.emplace(std::move(admin), std::move(message.descriptors.front()));
}

void take_listener(Settings& settings, Message message)
{
    auto listener = expect<ipc::Listener>(message);
    if (!is_lawful(listener.proxy_protocol)) refuse("a listener with another PROXY protocol");
    const std::size_t sockets = listener.shared ? 1 : settings.hello.shards;
    if (message.descriptors.size() != sockets) refuse("a listener without its sockets");
    if (listener.upstream >= settings.upstreams.size()) refuse("a listener without its upstream");
    settings.listeners.push_back({std::move(listener), std::move(message.descriptors)});
}

void take_route(Settings& settings, const Message& message)
{
    auto route = expect<ipc::Route>(message);
    if (settings.listeners.empty()) refuse("a route without its listener");
    if (route.upstream >= settings.upstreams.size()) refuse("a route without its upstream");
    settings.listeners.back().routes.push_back(std::move(route));
}

bool is_lawful(const ipc::NameService& names)
{
    return !names.servers.empty() && std::ranges::none_of(names.servers, &SocketAddress::is_unix) &&
           names.attempts > 0 && names.timeout_ms > 0 && names.min_ttl_ms > 0 && names.min_ttl_ms <= names.max_ttl_ms;
}

void take_names(Settings& settings, const Message& message)
{
    settings.names = expect<ipc::NameService>(message);
    if (!is_lawful(*settings.names)) refuse("names without a service");
}

void take_upstream(Settings& settings, const Message& message)
{
    auto upstream = expect<ipc::Upstream>(message);
    const auto is_named = [](const ipc::AppAddress& address) { return !address.host.empty(); };
    if (upstream.addresses.empty() || upstream.protocol > ipc::AppProtocol::h2c) refuse("an upstream without an app");
    const bool is_shared = upstream.protocol == ipc::AppProtocol::h2c || upstream.idle_max > 0;
    if (upstream.proxy_header > ipc::SentProxyHeader::v2_crc32c ||
        (upstream.proxy_header != ipc::SentProxyHeader::none && is_shared))
        refuse("one client's header on the connections of many");
    if (!settings.names && std::ranges::any_of(upstream.addresses, is_named)) refuse("a name without a service");
    settings.upstreams.push_back(std::move(upstream));
}

bool take(Settings& settings, Message message)
{
    switch (ipc::kind_of<ipc::Control>(message.bytes).value_or(ipc::Control::failed)) {
    case ipc::Control::upstream:
        take_upstream(settings, message);
        return true;
    case ipc::Control::name_service:
        take_names(settings, message);
        return true;
    case ipc::Control::figures:
        take_figures(settings, std::move(message));
        return true;
    case ipc::Control::admin:
        take_admin(settings, std::move(message));
        return true;
    case ipc::Control::route:
        take_route(settings, message);
        return true;
    case ipc::Control::listener:
        take_listener(settings, std::move(message));
        return true;
    case ipc::Control::key_channels:
        settings.keys = take_key_ends(std::move(message.descriptors), settings.hello.shards);
        return true;
    case ipc::Control::serve:
        return false;
    default:
        refuse("out of place");
    }
}

} // namespace

Greeting receive_hello(sys::Channel& control)
{
    Message message = receive(control);
    auto hello = expect<ipc::Hello>(message);
    if (hello.build_id != build_id()) {
        throw StartError{ExitCode::software, "the gatekeeper is of build " + hello.build_id + ", this worker of " +
                                                 std::string{build_id()} + ": install all three from one build"};
    }
    if (hello.shards == 0) refuse("no shards");
    if (message.descriptors.size() != (hello.log.audit == 0 ? 0 : 1)) refuse("Hello without its descriptor");
    Greeting greeting{std::move(hello), {}};
    if (!message.descriptors.empty()) greeting.audit = std::move(message.descriptors.front());
    return greeting;
}

Settings receive_settings(sys::Channel& control, ipc::Hello hello)
{
    Settings settings{
        .hello = std::move(hello), .pages = {}, .admin = {}, .names = {}, .upstreams = {}, .listeners = {}, .keys = {}};
    while (take(settings, receive(control))) {
    }
    if (settings.listeners.empty() || !settings.keys.supply || settings.pages.own.bytes().empty())
        refuse("serve before everything was there");
    return settings;
}

KeyEnds take_key_ends(std::vector<UniqueFd> descriptors, std::size_t shards)
{
    if (descriptors.size() != shards + 1) refuse("key channels");
    KeyEnds ends;
    ends.supply = sys::Channel{std::move(descriptors.front())};
    for (std::size_t i = 1; i < descriptors.size(); ++i)
        ends.sign.emplace_back(std::move(descriptors[i]));
    return ends;
}

} // namespace sallyport::worker
