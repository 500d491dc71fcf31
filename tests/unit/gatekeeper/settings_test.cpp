#include "gatekeeper/settings.hpp"

#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/resources.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::gatekeeper;
using namespace std::chrono_literals;

namespace {

config::Listener listener(const std::string& bind, const std::string& forward, std::vector<config::Certificate> pairs)
{
    config::Listener made;
    made.bind.text = bind;
    made.forward = forward;
    made.tls.certificates = std::move(pairs);
    return made;
}

config::Config small()
{
    config::Config config;
    config.upstreams["api"] = {SocketAddress::parse("127.0.0.1:7000").value()};
    config.upstreams["web"] = {SocketAddress::parse("unix:/run/web.sock").value()};
    config.listeners = {listener(":443", "web", {{.cert = "a.crt", .key = "a.key", .passphrase = ""}})};
    return config;
}

constexpr Machine kMachine{.shards = 3, .descriptors = 4'096};

} // namespace

TEST_CASE("Connections are as many as the descriptors serve, ten thousand at most", "[gatekeeper][settings]")
{
    const auto [descriptors, connections] = GENERATE(table<std::uint64_t, std::uint32_t>({
        {0, 1},
        {200, 1},
        {202, 1},
        {204, 2},
        {1'024, 412},
        {20'200, 10'000},
        {1'048'576, 10'000},
        {~std::uint64_t{0}, 10'000},
    }));
    CAPTURE(descriptors);
    CHECK(connections_that_fit(descriptors) == connections);
    if (descriptors > 200) CHECK(descriptors_for(connections) <= descriptors);
}

TEST_CASE("Shards are those of the configuration, else of the machine, and never none", "[gatekeeper][settings]")
{
    config::Config config = small();
    CHECK(shards_of(config, kMachine) == 3);
    CHECK(shards_of(config, Machine{.shards = 0}) == 1);
    config.shards = 8;
    CHECK(shards_of(config, kMachine) == 8);
    config.shards = sys::kShardsMax;
    CHECK(shards_of(config, kMachine) == sys::kShardsMax);
    config.shards = static_cast<std::uint16_t>(sys::kShardsMax + 1);
    CHECK_THROWS_AS(shards_of(config, kMachine), StartError);
}

TEST_CASE("Both children hear this build, the log's form, the place of keys and the limits", "[gatekeeper][settings]")
{
    config::Config config = small();
    config.keys = config::Keys::in_worker;
    config.sandbox.level = config::SandboxLevel::required;
    config.log = {.level = config::LogLevel::warn,
                  .format = config::LogFormat::plain,
                  .queue_lines = 77,
                  .audit = {config::AuditPlace::syslog, -1}};
    config.limits.handshake_timeout = 1s;
    config.limits.connect_timeout = 2s;
    config.limits.idle_timeout = 3s;
    config.limits.buffers = 4'000;
    config.drain.timeout = 5s;
    const Settings settings = settings_of(config, kMachine);
    CHECK(settings.hello.build_id == build_id());
    CHECK(settings.hello.key_place == ipc::KeyPlace::in_worker);
    CHECK(settings.hello.sandbox == ipc::SandboxSettings{ipc::SandboxLevel::required, ipc::SeccompMode::enforce});
    CHECK(settings.hello.shards == 3);
    CHECK(settings.hello.log.level == static_cast<int>(config::LogLevel::warn));
    CHECK(settings.hello.log.format == static_cast<int>(config::LogFormat::plain));
    CHECK(settings.hello.log.queue_lines == 77);
    CHECK(settings.hello.log.audit == static_cast<int>(config::AuditPlace::syslog));
    CHECK(settings.hello.limits.connections_max == 1'948);
    CHECK(settings.hello.limits.handshake_ms == 1'000);
    CHECK(settings.hello.limits.connect_ms == 2'000);
    CHECK(settings.hello.limits.idle_ms == 3'000);
    CHECK(settings.hello.limits.buffer_bytes_max == 4'000);
    CHECK(settings.drain_ms == 5'000);
}

TEST_CASE("What a message cannot carry becomes its nearest value, never zero and never wrapped",
          "[gatekeeper][settings]")
{
    config::Config config = small();
    config.limits.max_connections = 12;
    config.limits.idle_timeout = config::Millis{std::int64_t{1} << 40};
    config.limits.buffers = std::uint64_t{1} << 40;
    config.drain.timeout = config::Millis{0};
    const Settings settings = settings_of(config, kMachine);
    CHECK(settings.hello.limits.connections_max == 12);
    CHECK(settings.hello.limits.idle_ms == 0xffff'ffff);
    CHECK(settings.hello.limits.buffer_bytes_max == 0xffff'ffff);
    CHECK(settings.drain_ms == 1);
}

TEST_CASE("Listeners name their upstream by its place in the order of names", "[gatekeeper][settings]")
{
    config::Config config = small();
    config.listeners.push_back(listener(":8443", "api", config.listeners.front().tls.certificates));
    config.listeners.back().tls.profile = config::Profile::modern;
    config.listeners.back().tls.alpn = {"h2", "http/1.1"};
    config.listeners.back().tls.session_tickets = false;
    config.listeners.back().tls.ticket_lifetime = 60s;
    const Settings settings = settings_of(config, kMachine);
    REQUIRE(settings.upstreams.size() == 2);
    CHECK(settings.upstreams[0].name == "api");
    CHECK(settings.upstreams[1].address.text() == "unix:/run/web.sock");
    REQUIRE(settings.listeners.size() == 2);
    CHECK(settings.listeners[0].bind == ":443");
    CHECK(settings.listeners[0].upstream == 1);
    CHECK(settings.listeners[0].tls.tickets);
    CHECK(settings.listeners[1].upstream == 0);
    CHECK(settings.listeners[1].tls.profile == ipc::TlsProfile::modern);
    CHECK(settings.listeners[1].tls.alpn == std::vector<std::string>{"h2", "http/1.1"});
    CHECK_FALSE(settings.listeners[1].tls.tickets);
    CHECK(settings.listeners[1].tls.ticket_lifetime_s == 60);
}

TEST_CASE("A pair that several listeners show is one source; another key or passphrase makes another",
          "[gatekeeper][settings]")
{
    const config::Certificate a{.cert = "a.crt", .key = "a.key", .passphrase = ""};
    const config::Certificate b{.cert = "b.pem", .key = "", .passphrase = "b.pass"};
    const config::Certificate from_environment{.cert = "env:SALLYPORT_CERT", .key = "", .passphrase = ""};
    config::Config config = small();
    config.listeners = {listener(":443", "web", {a, b}), listener(":444", "web", {b, a}),
                        listener(":445", "web", {{.cert = "a.crt", .key = "a.key", .passphrase = "a.pass"}}),
                        listener(":446", "web", {from_environment, a}), listener(":447", "web", {from_environment})};
    const Settings settings = settings_of(config, kMachine);
    REQUIRE(settings.sources.size() == 4);
    CHECK(settings.sources[0].label == "a.crt");
    CHECK(settings.sources[0].key == ipc::TextSource{"a.key", false});
    CHECK(settings.sources[1].key.name == "b.pem"); // the same file
    CHECK(settings.sources[1].passphrase.name == "b.pass");
    CHECK(settings.sources[3].label == "env:SALLYPORT_CERT");
    CHECK(settings.sources[3].certificate == ipc::TextSource{"env:SALLYPORT_CERT", true});
    CHECK(settings.sources[3].key == ipc::TextSource{"env:SALLYPORT_KEY", true});
    using Indexes = std::vector<std::uint32_t>;
    CHECK(settings.listeners[0].tls.certificates == Indexes{0, 1});
    CHECK(settings.listeners[1].tls.certificates == Indexes{1, 0});
    CHECK(settings.listeners[2].tls.certificates == Indexes{2});
    CHECK(settings.listeners[3].tls.certificates == Indexes{3, 0});
    CHECK(settings.listeners[4].tls.certificates == Indexes{3});
}

TEST_CASE("Self-signed pairs are made once for the same names", "[gatekeeper][settings]")
{
    config::Config config = small();
    config.listeners = {listener(":443", "web", {}), listener(":444", "web", {}), listener(":445", "web", {})};
    config.listeners[0].tls.self_signed = {"localhost", "127.0.0.1"};
    config.listeners[1].tls.self_signed = {"localhost", "127.0.0.1"};
    config.listeners[2].tls.self_signed = {"example.org"};
    const Settings settings = settings_of(config, kMachine);
    REQUIRE(settings.sources.size() == 2);
    CHECK(settings.sources[0].self_signed_names == std::vector<std::string>{"localhost", "127.0.0.1"});
    CHECK(settings.sources[0].certificate.name.empty());
    CHECK(settings.listeners[1].tls.certificates == std::vector<std::uint32_t>{0});
    CHECK(settings.listeners[2].tls.certificates == std::vector<std::uint32_t>{1});
}
