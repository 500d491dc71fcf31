#include "shards.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>

#include "sallyport/base/contract.hpp"
#include "sallyport/base/socket_options.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/tls/remote_key.hpp"

namespace sallyport::worker {

namespace {

/// Each shard's own share of the process's limit: no shard asks another before it accepts.
ipc::Limits share_of(const ipc::Limits& limits, std::size_t shards)
{
    ipc::Limits share = limits;
    share.connections_max = std::max(1U, limits.connections_max / static_cast<std::uint32_t>(shards));
    return share;
}

proxy::Apps apps_of(std::size_t shard, Settings& settings)
{
    return {.settings = {.upstreams = settings.upstreams,
                         .names = settings.names,
                         .connect_ms = settings.hello.limits.connect_ms},
            .names = settings.names ? std::move(settings.name_channels.at(shard)) : nullptr,
            .shard = static_cast<unsigned>(shard)};
}

UniqueFd duplicate(const UniqueFd& fd)
{
    UniqueFd copy{::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) throw StartError{ExitCode::os_error, "duplicating a listening socket: " + last_errno().message()};
    return copy;
}

template <typename T>
T value_or_refuse(std::expected<T, std::string> made)
{
    if (!made) throw StartError{ExitCode::configuration, made.error()};
    return std::move(*made);
}

std::unique_ptr<const site::Site> site_of(const ReceivedListener& listener)
{
    if (listener.settings.mode != ipc::Mode::http) return nullptr;
    return value_or_refuse(site::Site::build(listener.settings, listener.routes));
}

void test_keys(tls::SignChannel& keys, const tls::Credentials& credentials)
{
    tls::use_sign_channel(&keys);
    const auto tested = tls::self_test(credentials);
    tls::use_sign_channel(nullptr);
    if (!tested) throw StartError{ExitCode::software, "a key cannot sign: " + tested.error()};
}

} // namespace

Shards::Shards(Settings& settings, const tls::Credentials& credentials, metrics::WorkerPage page)
    : page_{page}, ended_{::eventfd(0, EFD_CLOEXEC)}
{
    if (!ended_) throw StartError{ExitCode::os_error, "eventfd: " + last_errno().message()};
    for (const ReceivedListener& listener : settings.listeners)
        policies_.push_back(listener.settings.tls);
    for (const ReceivedListener& listener : settings.listeners)
        sites_.push_back(site_of(listener));
    for (sys::Channel& channel : settings.keys.sign)
        keys_.emplace_back(std::move(channel));
    test_keys(keys_.front(), credentials);

    const std::size_t count = settings.hello.shards;
    for (std::size_t i = 0; i < count; ++i) {
        auto listeners = listeners_of(i, settings, value_or_refuse(build_contexts(credentials)));
        shards_.push_back(
            std::make_unique<proxy::Shard>(proxy::Shard::Plan{.limits = share_of(settings.hello.limits, count),
                                                              .apps = apps_of(i, settings),
                                                              .listeners = std::move(listeners),
                                                              .access = settings.hello.access,
                                                              .wait_ms = settings.hello.wait_for_upstream_ms,
                                                              .pass_on = [this, i] { pass_on(i); }},
                                           keys_[i], page_.shards()[i]));
    }
    if (settings.hello.wait_for_upstream_ms != 0) wait_for_apps();
}

void Shards::pass_on(std::size_t from)
{
    for (std::size_t i = 0; i < shards_.size(); ++i)
        if (i != from) shards_[i]->look_again();
}

/// One shard looks for all.
void Shards::wait_for_apps()
{
    awaits_apps_ = true;
    metrics::ShardFigures& figures = page_.shards().front();
    const auto let_in = [this, &figures] {
        figures.let_in.add();
        for (const auto& shard : shards_)
            shard->let_in();
    };
    shards_.front()->meet_apps(let_in, [this, &figures] {
        figures.met_apps.add();
        awaits_apps_ = false;
    });
}

std::expected<Shards::Contexts, std::string> Shards::build_contexts(const tls::Credentials& credentials) const
{
    Contexts contexts;
    for (const ipc::TlsSettings& policy : policies_) {
        if (policy.certificates.empty()) {
            contexts.emplace_back();
            continue;
        }
        auto built = tls::ServerContexts::build(policy, credentials);
        if (!built) return std::unexpected{built.error()};
        contexts.push_back(std::move(*built));
    }
    return contexts;
}

std::vector<proxy::Listener> Shards::listeners_of(std::size_t shard, Settings& settings, Contexts contexts)
{
    std::vector<proxy::Listener> listeners;
    for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
        ReceivedListener& received = settings.listeners[i];
        const bool shared = received.settings.shared;
        // The last shard takes the shared one itself: nobody listens once all of them have stopped.
        const bool copies = shared && shard + 1 < settings.hello.shards;
        UniqueFd& own = received.sockets[shared ? 0 : shard];
        UniqueFd fd = copies ? duplicate(own) : std::move(own);
        set_accepted_options(fd.get()); // a worker before this one may have changed them
        listeners.push_back({.bind = received.settings.bind,
                             .fd = std::move(fd),
                             .shared = shared,
                             .upstream = received.settings.upstream,
                             .site = sites_[i].get(),
                             .proxy_headers = proxy::ProxyHeaders{received.settings.proxy_protocol},
                             .contexts = std::move(contexts[i])});
    }
    return listeners;
}

void Shards::start()
{
    running_ = shards_.size();
    for (std::size_t i = 0; i < shards_.size(); ++i)
        lives_.emplace_back();
    try {
        for (std::size_t i = 0; i < shards_.size(); ++i)
            threads_.emplace_back([this, i] { run(i); });
    } catch (const std::system_error& error) {
        throw StartError{ExitCode::os_error,
                         std::string{"no thread for a shard (see pids.max and RLIMIT_NPROC): "} + error.what()};
    }
}

void Shards::serve()
{
    serves_ = true;
    if (!awaits_apps_) page_.shards().front().let_in.add();
    for (const auto& shard : shards_)
        shard->begin(); // here and not in its thread, which an order to drain might overtake
    may_go_on_.count_down();
}

Shards::~Shards()
{
    if (!serves_) may_go_on_.count_down();
}

void Shards::run(std::size_t shard)
{
    sys::name_thread(("shard " + std::to_string(shard)).c_str());
    may_go_on_.wait();
    if (serves_) shards_[shard]->run();
    lives_[shard].has_ended = true;
    if (--running_ == 0) SALLYPORT_ASSERT(::eventfd_write(ended_.get(), 1) == 0);
}

void Shards::replace_sign_channels(std::vector<sys::Channel> channels)
{
    SALLYPORT_ASSERT(channels.size() == keys_.size());
    for (std::size_t i = 0; i < keys_.size(); ++i)
        keys_[i].replace(std::move(channels[i]));
}

std::expected<void, std::string> Shards::use(const tls::Credentials& credentials)
{
    std::vector<Contexts> built;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        auto contexts = build_contexts(credentials);
        if (!contexts) return std::unexpected{contexts.error()};
        built.push_back(std::move(*contexts));
    }
    changeover_.begin(std::move(built));
    return {};
}

void Shards::use_tickets(const std::shared_ptr<const tls::Credentials>& credentials)
{
    for (const auto& shard : shards_)
        shard->use_tickets(credentials);
}

void Shards::drain(const ipc::Drain& order)
{
    for (const auto& shard : shards_)
        shard->drain(order);
}

void Shards::ask()
{
    for (std::size_t i = 0; i < shards_.size(); ++i)
        if (!lives_[i].owes_sign.exchange(true)) shards_[i]->call([this, i] { lives_[i].owes_sign = false; });
}

std::vector<std::size_t> Shards::silent() const
{
    std::vector<std::size_t> silent;
    for (std::size_t i = 0; i < lives_.size(); ++i)
        if (lives_[i].owes_sign && !lives_[i].has_ended) silent.push_back(i);
    return silent;
}

std::uint64_t Shards::latest_attempt(std::size_t upstream) const
{
    std::uint64_t latest = 0;
    for (const auto& shard : shards_)
        latest = std::max(latest, shard->latest_attempt(upstream));
    return latest;
}

ipc::Drained Shards::join()
{
    threads_.clear();
    ipc::Drained total;
    for (const auto& shard : shards_) {
        const ipc::Drained one = shard->drained();
        total.finished += one.finished;
        total.cut += one.cut;
    }
    return total;
}

} // namespace sallyport::worker
