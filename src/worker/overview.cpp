#include "overview.hpp"

#include <algorithm>
#include <iterator>

#include "sallyport/base/build.hpp"
#include "sallyport/base/wall_clock.hpp"
#include "sallyport/crypto/certificate.hpp"

namespace sallyport::worker {

namespace {

std::string level_text(ipc::SandboxLevel level)
{
    switch (level) {
    case ipc::SandboxLevel::enforce:
        return "enforce";
    case ipc::SandboxLevel::required:
        return "required";
    case ipc::SandboxLevel::none:
        break;
    }
    return "none";
}

std::string text_of(const ipc::AppAddress& app)
{
    return app.host.empty() ? app.address.text() : app.host + ":" + std::to_string(app.port);
}

metrics::UpstreamFacts::State state_of(std::uint64_t latest_attempt)
{
    using enum metrics::UpstreamFacts::State;
    if (latest_attempt == 0) return unknown;
    return latest_attempt % 2 == 1 ? up : down;
}

metrics::CertificateFacts facts_of(const ipc::Certificate& certificate)
{
    metrics::CertificateFacts facts{.index = certificate.index, .names = {}, .key_type = {}, .spki_sha256 = {}};
    if (certificate.chain.empty()) return facts;
    const auto leaf = crypto::parse_certificate(certificate.chain.front());
    if (!leaf) return facts;
    crypto::CertificateFacts read = crypto::facts_of(**leaf);
    facts.names = std::move(read.names);
    std::ranges::move(read.addresses, std::back_inserter(facts.names));
    facts.key_type = std::move(read.key_type);
    facts.spki_sha256 = std::move(read.spki_sha256);
    facts.not_before = read.not_before;
    facts.not_after = read.not_after;
    return facts;
}

} // namespace

Overview::Overview(const Settings& settings, const privsep::Confined& confined, Shards& shards)
    : settings_{settings},
      shards_{shards},
      house_{*reinterpret_cast<const metrics::HouseFigures*>(settings.pages.house.bytes().data())},
      posture_{.level = level_text(settings.hello.sandbox.level),
               .seccomp = std::string{privsep::mode_text(confined.seccomp)},
               .landlock = confined.landlock,
               .lacking = confined.lacking},
      started_{milliseconds_since_epoch() / 1000}
{
}

void Overview::show(const tls::Credentials& credentials)
{
    certificates_.clear();
    std::ranges::transform(credentials.certificates, std::back_inserter(certificates_), facts_of);
}

std::vector<std::string> Overview::unready()
{
    std::vector<std::string> reasons;
    if (draining_) reasons.emplace_back("draining");
    if (!keyholder_lives_) reasons.emplace_back("the keyholder does not answer");
    if (shards_.awaits_apps()) reasons.push_back("waiting for upstream" + list_of_absent());
    if (house_.forbidden.read() != 0) reasons.emplace_back("an app is reachable past us, and bypass.strict is set");
    return reasons;
}

std::string Overview::list_of_absent() const
{
    std::string names;
    for (const metrics::UpstreamFacts& upstream : upstreams())
        if (upstream.state != metrics::UpstreamFacts::State::up) names += " " + upstream.name;
    return names;
}

metrics::Sum Overview::sum() const
{
    metrics::Sum sum;
    sum.add(metrics::WorkerPage{settings_.pages.past.bytes()});
    sum.add(metrics::WorkerPage{settings_.pages.own.bytes()});
    for (const sys::SharedMemory& older : settings_.pages.older)
        sum.add(metrics::WorkerPage{older.bytes()});
    return sum;
}

std::vector<metrics::UpstreamFacts> Overview::upstreams() const
{
    std::vector<metrics::UpstreamFacts> all;
    for (std::size_t i = 0; i < settings_.upstreams.size(); ++i) {
        const ipc::Upstream& upstream = settings_.upstreams[i];
        metrics::UpstreamFacts& facts = all.emplace_back(upstream.name);
        std::ranges::transform(upstream.addresses, std::back_inserter(facts.addresses), text_of);
        facts.state = state_of(shards_.latest_attempt(i));
    }
    return all;
}

admin::Status Overview::status()
{
    admin::Status status{
        .generation = settings_.pages.generation, .unready = unready(), .listeners = {}, .picture = {}};
    for (const ReceivedListener& listener : settings_.listeners)
        status.listeners.push_back({.bind = listener.settings.bind,
                                    .mode = listener.settings.mode == ipc::Mode::http ? "http" : "tcp",
                                    .tls = !listener.settings.is_plaintext()});
    metrics::Picture& picture = status.picture;
    picture.version = version();
    picture.build = build_id();
    picture.started = started_;
    picture.ready = status.unready.empty();
    picture.keyholder_lives = keyholder_lives_;
    picture.certificates_wrong = certificates_wrong_;
    picture.refuses_certificates = refuses_certificates_;
    picture.shards = settings_.hello.shards;
    picture.house = &house_;
    picture.sum = sum();
    picture.certificates = certificates_;
    picture.upstreams = upstreams();
    picture.posture = posture_;
    return status;
}

} // namespace sallyport::worker
